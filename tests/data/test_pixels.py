"""Store or no store: the same pixels, chosen by the machine; broken pictures are never passed over in silence."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from vlpbench.config.settings import Portion, TextNoise
from vlpbench.data.errors import DataError
from vlpbench.data.overlap import overlap, shown
from vlpbench.data.sources.table import Table, TableConfig
from vlpbench.data.splits import open_split
from vlpbench.data.undecoded import Undecoded
from vlpbench.data.weakened import weakened
from vlpbench.errors import UserError


@pytest.fixture
def dataset(root, cache, put):
    rng = np.random.default_rng(0)
    rows = ["image,caption"]
    for number in range(12):
        picture = Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
        picture.save(root / "set" / "images" / f"{number}.png")
        rows.append(f"{number}.png,picture {number}")
    for split in ("train", "test"):
        put(f"{split}.csv", "\n".join(rows))
    return Table(TableConfig("set", tables={"train": "train.csv", "test": "test.csv"}), root, cache)


def opened(dataset, wish, monkeypatch, on_bad="error", name="train", **named):
    monkeypatch.setenv("VLPBENCH_STORE", wish)
    purpose = "train" if name == "train" else "evaluate"
    return open_split(dataset, name, purpose=purpose, size=16, on_bad=on_bad, **named)


def stores(dataset):
    return list(dataset.cache.glob("images/*.npy"))


def test_never_builds_none_and_the_pixels_are_equal(dataset, monkeypatch):
    without = opened(dataset, "never", monkeypatch)
    assert isinstance(without.pixels, Undecoded)
    assert not stores(dataset)
    for wish in ("always", "auto", ""):
        held = opened(dataset, wish, monkeypatch)
        assert isinstance(held.pixels, np.memmap)
        assert held.samples == without.samples
        assert np.array_equal(held.pixels, without.pixels[:])
    assert without.lying is None


def test_another_word_is_refused(dataset, monkeypatch):
    with pytest.raises(UserError, match="unknown value 'nevr'") as caught:
        opened(dataset, "nevr", monkeypatch)
    assert "did you mean 'never'" in caught.value.remedy


class Full:
    free = 100


def test_where_the_disk_has_no_room_it_says_so_and_decodes(dataset, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Full)
    found = opened(dataset, "auto", monkeypatch)
    assert isinstance(found.pixels, Undecoded)
    said = capsys.readouterr().err
    assert "GiB free" in said and "decoded whenever they are seen" in said and said.count("\n") == 1
    with pytest.raises(DataError, match="GiB free") as caught:
        opened(dataset, "always", monkeypatch)
    assert "VLPBENCH_STORE=never" in caught.value.remedy


def broken(dataset):
    (dataset.images / "3.png").write_bytes(b"no picture")
    (dataset.images / "7.png").write_bytes(b"")


def test_broken_ones_are_left_out_as_with_the_store_and_looked_for_once(dataset, monkeypatch):
    broken(dataset)
    heard = []
    found = opened(dataset, "never", monkeypatch, "skip", heard=lambda done, of: heard.append((done, of)))
    assert [problem.where for problem in found.problems] == ["image 3.png", "image 7.png"]
    assert heard == [(12, 12)]
    opened(dataset, "never", monkeypatch, "skip", heard=lambda done, of: pytest.fail("decoded again"))
    held = opened(dataset, "always", monkeypatch, "skip")
    assert held.problems == found.problems and held.samples == found.samples
    assert np.array_equal(held.pixels, found.pixels[:])


@pytest.mark.parametrize("harm", ["{", "[]", '{"broken": {"x": "y"}}'])
def test_what_was_remembered_of_broken_ones_may_be_damaged(dataset, monkeypatch, harm):
    broken(dataset)
    first = opened(dataset, "never", monkeypatch, "skip")
    (path,) = dataset.cache.glob("images/*.broken.json")
    path.write_text(harm)
    assert opened(dataset, "never", monkeypatch, "skip").problems == first.problems


def test_a_picture_mended_later_is_there_again(dataset, monkeypatch):
    broken(dataset)
    assert len(opened(dataset, "never", monkeypatch, "skip").samples) == 10
    shutil.copy(dataset.images / "0.png", dataset.images / "3.png")
    assert len(opened(dataset, "never", monkeypatch, "skip").samples) == 11


def test_under_error_a_broken_one_ends_what_sees_it(dataset, monkeypatch):
    broken(dataset)
    found = opened(dataset, "never", monkeypatch)
    assert len(found.pixels[[0, 1, 2]]) == 3
    with pytest.raises(DataError, match=r"image 3\.png: is not a picture"):
        found.pixels[[3]]


def test_blind_decodes_nothing(dataset, monkeypatch):
    blind = opened(dataset, "never", monkeypatch, blind=True)
    assert blind.pixels.shape == (12, 16, 16, 3)
    assert set(np.unique(blind.pixels)) == {128}


def test_overlap_and_weakened_sets_do_without_a_store(dataset, monkeypatch):
    spoilt = weakened(dataset, Portion(share=0.5, text_noise=TextNoise(swapped=0.5)))
    told = []
    for wish in ("always", "never"):
        trained, tested = opened(spoilt, wish, monkeypatch), opened(spoilt, wish, monkeypatch, name="test")
        assert len(trained.samples) == 6
        told.append(overlap([shown("mine", spoilt, trained)], [shown("mine", spoilt, tested)]))
    assert told[0] == told[1]
    assert told[0].exact == 6
