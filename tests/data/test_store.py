"""The image store: right rows, whole or not at all, found again, rebuilt when damaged."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from vlpbench.data import store as module
from vlpbench.data.decoding import decode
from vlpbench.data.errors import DataError
from vlpbench.data.store import broken_pictures, open_store

SIZE = 8
NAMES = [f"{number}.png" for number in range(75)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(1)
    for name in NAMES:
        shape = (*rng.integers(5, 20, 2), 3)
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / "images" / name)
    return tmp_path / "images"


def slowly(folder, names):
    return np.stack([decode(folder / name, SIZE) for name in names])


def never(done, of):
    pytest.fail("built again")


def test_rows_are_the_pictures_in_order(folder, cache):
    heard = []
    found = open_store(folder, NAMES, SIZE, cache, lambda done, of: heard.append((done, of)))
    assert isinstance(found.pixels, np.memmap)
    assert found.pixels.dtype == np.uint8
    assert np.array_equal(found.pixels, slowly(folder, NAMES))
    assert found.broken == {}
    assert heard == [(32, 75), (64, 75), (75, 75)]


def test_second_time_nothing_is_decoded(folder, cache):
    first = open_store(folder, NAMES, SIZE, cache)
    assert np.array_equal(open_store(folder, NAMES, SIZE, cache, never).pixels, first.pixels)


def test_pixels_cannot_be_written(folder, cache):
    pixels = open_store(folder, NAMES, SIZE, cache).pixels
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0


def test_size_order_and_contents_make_another_store(folder, cache):
    for names, size in ((NAMES, SIZE), (NAMES, 9), (NAMES[::-1], SIZE), (NAMES[:5], SIZE)):
        assert len(open_store(folder, names, size, cache).pixels) == len(names)
    Image.new("RGB", (8, 8)).save(folder / NAMES[0])
    assert open_store(folder, NAMES, SIZE, cache).pixels[0].max() == 0
    assert len(list((cache / "images").glob("*.npy"))) == 5


def test_same_pictures_elsewhere_share_the_store(folder, cache):
    open_store(folder, NAMES, SIZE, cache)
    (folder.parent / "moved").symlink_to(folder)
    open_store(folder.parent / "moved", NAMES, SIZE, cache, never)
    assert len(list((cache / "images").glob("*.npy"))) == 1


def test_a_name_may_come_twice(folder, cache):
    found = open_store(folder, ["3.png", "1.png", "3.png"], SIZE, cache)
    assert np.array_equal(found.pixels, slowly(folder, ["3.png", "1.png", "3.png"]))


@pytest.mark.parametrize("bad", [[0], [74], [3, 4, 40, 71], list(range(75))])
def test_broken_pictures_leave_no_gap(folder, cache, bad):
    for place in bad:
        (folder / NAMES[place]).write_bytes(b"no picture" + bytes([place]))
    for heard in (None, never):
        found = open_store(folder, NAMES, SIZE, cache, heard)
        assert found.broken == dict.fromkeys(bad, "is not a picture in a known format")
        kept = [name for place, name in enumerate(NAMES) if place not in bad]
        assert found.pixels.shape == (len(kept), SIZE, SIZE, 3)
        assert not kept or np.array_equal(found.pixels, slowly(folder, kept))
    assert broken_pictures(folder, NAMES) == found.broken
    assert [path.suffix for path in sorted((cache / "images").iterdir())] == [".json", ".lock", ".npy"]


def test_no_pictures_at_all(folder, cache):
    assert open_store(folder, [], SIZE, cache).pixels.shape == (0, SIZE, SIZE, 3)


def damaged(path, how):
    raw = bytearray(path.read_bytes())
    if how == "truncated":
        del raw[-100:]
    elif how == "longer":
        raw += b"\0" * 100
    elif how == "one bit":
        raw[len(raw) // 2] ^= 1
    elif how == "emptied":
        raw.clear()
    elif how == "header":
        raw[:6] = b"XXXXXX"
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize("how", ["truncated", "longer", "one bit", "emptied", "header"])
def test_damaged_pixels_are_built_again(folder, cache, how):
    open_store(folder, NAMES, SIZE, cache)
    (path,) = (cache / "images").glob("*.npy")
    damaged(path, how)
    heard = []
    found = open_store(folder, NAMES, SIZE, cache, lambda *told: heard.append(told))
    assert heard
    assert np.array_equal(found.pixels, slowly(folder, NAMES))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pictures": 3}', None])
def test_damaged_index_is_built_again(folder, cache, text):
    open_store(folder, NAMES, SIZE, cache)
    (path,) = (cache / "images").glob("*.json")
    path.unlink() if text is None else path.write_text(text)
    assert np.array_equal(open_store(folder, NAMES, SIZE, cache).pixels, slowly(folder, NAMES))
    assert json.loads(path.read_text())["pictures"] == 75


def test_an_interrupted_build_leaves_nothing(folder, cache):
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_store(folder, NAMES, SIZE, cache, stop)
    assert [path.suffix for path in (cache / "images").iterdir()] == [".lock"]
    assert np.array_equal(open_store(folder, NAMES, SIZE, cache).pixels, slowly(folder, NAMES))


def test_leftovers_of_a_killed_build_are_cleared(folder, cache):
    open_store(folder, NAMES, SIZE, cache)
    (path,) = (cache / "images").glob("*.npy")
    path.with_suffix(".json").unlink()
    left = path.with_name(f".{path.name}.abc.npy")
    left.write_bytes(b"half")
    open_store(folder, NAMES, SIZE, cache)
    assert not left.exists()


BUILD = """
import sys
from pathlib import Path
from vlpbench.data.store import open_store

folder, cache, size, *names = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
open_store(Path(folder), names, int(size), Path(cache), lambda *_: print("built", flush=True))
"""


def test_two_processes_at_once_build_once(folder, cache):
    command = [sys.executable, "-c", BUILD, str(folder), str(cache), str(SIZE), *NAMES]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("built" in said for said in told) == [False, True]
    assert np.array_equal(open_store(folder, NAMES, SIZE, cache, never).pixels, slowly(folder, NAMES))


def test_without_locks_it_still_works(folder, cache, monkeypatch):
    monkeypatch.setattr("vlpbench.data.cached._locked", lambda _: False)
    assert np.array_equal(open_store(folder, NAMES, SIZE, cache).pixels, slowly(folder, NAMES))


def test_full_disk_is_said_beforehand(folder, cache, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(DataError, match="GiB free"):
        open_store(folder, NAMES, SIZE, cache)


class Usage:
    free = 10


def test_missing_picture_is_an_error(folder, cache):
    with pytest.raises(DataError, match=r"gone\.png"):
        open_store(folder, [*NAMES, "gone.png"], SIZE, cache)
