"""Pictures decoded when they are asked for: the pixels of the store, under every kind of index, in several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from vlpbench.contract.dataset import Archive
from vlpbench.data import undecoded as module
from vlpbench.data.errors import DataError
from vlpbench.data.store import open_store
from vlpbench.data.undecoded import Undecoded

SIZE = 8
NAMES = [f"{number}.{('png', 'jpg', 'webp')[number % 3]}" for number in range(23)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(1)
    for name in NAMES:
        shape = (*rng.integers(5, 30, 2), 3)
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / "images" / name)
    return tmp_path / "images"


@pytest.fixture
def stored(folder, cache):
    return np.array(open_store(folder, NAMES, SIZE, cache).pixels)


@pytest.mark.parametrize("cores", [1, 3])
def test_pixels_are_those_of_the_store_however_they_are_asked_for(folder, stored, monkeypatch, cores):
    monkeypatch.setattr(module, "cores", lambda: cores)
    found = Undecoded(folder, NAMES, SIZE)
    some = np.array([3, 1, 3, -1, 0])
    asked = [0, -23, np.int64(5), slice(None), slice(2, 9, 3), slice(None, None, -1), slice(30, 40), some,
             some.tolist(), some.astype(np.int32), some.reshape(1, 5), np.arange(23) % 2 == 0, [],
             np.zeros(0, np.int64), np.zeros(23, bool)]
    for rows in asked:
        shown, expected = found[rows], stored[np.array(rows, np.int64) if isinstance(rows, list) else rows]
        assert shown.dtype == np.uint8 and shown.shape == expected.shape
        assert np.array_equal(shown, expected)
    assert np.array_equal(np.asarray(found), stored)
    assert np.array_equal(np.stack([*found]), stored)  # by number until there is none


def test_it_has_the_form_of_an_array(folder):
    found = Undecoded(folder, NAMES, SIZE)
    assert (len(found), found.shape, found.dtype, found.ndim) == (23, (23, 8, 8, 3), np.uint8, 4)
    assert found.nbytes == 23 * 8 * 8 * 3
    assert np.broadcast_to(np.uint8(7), found.shape).shape == found.shape
    assert Undecoded(folder, ["x"] * 10**6, 1 << 12).nbytes == 10**6 * 3 << 24  # beyond what 32 bits hold


def test_what_is_given_can_be_written_and_does_not_change_the_next(folder, stored):
    found = Undecoded(folder, NAMES, SIZE)
    found[[2, 2]][:] = 0
    assert np.array_equal(found[2], stored[2])


@pytest.mark.parametrize("rows", [23, -24, [0, 23], 1.5, [0.0], "a", np.ones(22, bool), np.ones((23, 2), bool)])
def test_rows_that_are_not_there_are_refused(folder, rows):
    with pytest.raises(IndexError):
        Undecoded(folder, NAMES, SIZE)[rows]


def test_a_picture_asked_for_twice_is_decoded_once(folder, monkeypatch):
    seen = []
    decode = module.decode
    monkeypatch.setattr(module, "decode", lambda given, size: seen.append(given) or decode(given, size))
    assert len(Undecoded(folder, NAMES, SIZE)[[4, 4, 4, 1]]) == 4
    assert len(seen) == 2


def test_a_broken_picture_is_named_when_it_is_seen(folder):
    (folder / NAMES[3]).write_bytes((folder / NAMES[3]).read_bytes()[:40])
    found = Undecoded(folder, NAMES, SIZE)
    assert len(found[[0, 1, 2]]) == 3
    with pytest.raises(DataError, match=r"image 3\.png: (cannot be decoded|is not a picture)") as caught:
        found[[2, 3, 4]]
    assert "vlpbench data check" in caught.value.remedy
    (folder / NAMES[5]).unlink()
    with pytest.raises(DataError, match="cannot be read: No such file"):
        found[5]
    assert len(found[[6, 7]]) == 2  # it goes on to serve


def test_several_threads_may_ask_at_once(folder, stored, monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: 2)
    found = Undecoded(folder, NAMES, SIZE)
    rng = np.random.default_rng(0)
    asked = [rng.integers(0, 23, 16) for _ in range(24)]
    with ThreadPoolExecutor(6) as pool:
        shown = list(pool.map(found.__getitem__, asked))
    assert all(np.array_equal(one, stored[rows]) for one, rows in zip(shown, asked, strict=True))


class Kept(Archive):
    """Picture files in memory."""

    def __init__(self, files):
        self.files = files

    def read(self, name):
        return self.files[name]

    def digests(self, names):
        return dict.fromkeys(names, "0")

    def part(self, name):
        return 0


def test_pictures_that_are_no_files(folder, stored):
    files = {name: (folder / name).read_bytes() for name in NAMES}
    assert np.array_equal(Undecoded(Kept(files), NAMES, SIZE)[:], stored)
    with pytest.raises(DataError, match=r"image 0\.png: is empty"):
        Undecoded(Kept({"0.png": b""}), ["0.png"], SIZE)[0]
    assert Kept(files).together == 0
