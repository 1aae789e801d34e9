"""Open splits: rows belong to samples, the test split is refused, broken samples stop or are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlpbench.config.settings import Portion
from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.contract.sealed import sealed
from vlpbench.data.decoding import decode
from vlpbench.data.errors import DataError, TestSplitRefused
from vlpbench.data.sources.coco import Coco, CocoConfig
from vlpbench.data.splits import BLANK, open_split
from vlpbench.data.weakened import weakened
from vlpbench.data.worlds.digits import Digits, DigitsConfig
from vlpbench.types import Sample


class Listed(Dataset):
    """A set that gives what it is told to."""

    name = "listed"

    @property
    def images(self) -> Path:
        return self.root

    def splits(self):
        return tuple(self.config)

    def read(self, split):
        return iter(self.config[split])

    def fingerprint(self):
        return ""


@pytest.fixture
def made(tmp_path):
    rng = np.random.default_rng(2)
    (tmp_path / "images").mkdir()
    for number in range(6):
        Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8)).save(tmp_path / "images" / f"{number}.png")

    def build(*samples):
        given = samples or tuple(Sample(n + 100, f"{n}.png", (f"picture {n}",)) for n in range(6))
        return Listed(dict.fromkeys(("train", "val", "test"), given), tmp_path / "images", tmp_path / "cache")

    return build


def opened(dataset, name="train", purpose="train", on_bad="error", **more):
    return open_split(dataset, name, purpose=purpose, size=8, on_bad=on_bad, **more)


def test_row_i_belongs_to_sample_i(made):
    split = opened(made())
    assert (split.dataset, split.name, split.problems) == ("listed", "train", ())
    assert split.pixels.shape == (6, 8, 8, 3)
    for sample, row in zip(split.samples, split.pixels, strict=True):
        assert np.array_equal(row, decode(made().images / sample.image, 8))


@pytest.mark.parametrize(("name", "purpose"), [("train", "train"), ("val", "train"), ("val", "select"),
                                               ("train", "evaluate"), ("val", "evaluate"), ("test", "evaluate")])
def test_allowed(made, name, purpose):
    assert len(opened(made(), name, purpose).samples) == 6


@pytest.mark.parametrize(("name", "purpose"), [("test", "train"), ("test", "select"), ("train", "select")])
def test_refused_before_anything_is_read(made, name, purpose):
    dataset = made()
    dataset.read = lambda _: pytest.fail("the split was read")
    with pytest.raises(TestSplitRefused) as caught:
        opened(dataset, name, purpose)
    assert caught.value.remedy
    assert name in caught.value.place
    assert isinstance(caught.value, DataError)


def bad_set(made):
    bad = [BadSample(f"file: row {n}", "is odd") for n in range(7)]
    good = [Sample(n, f"{n}.png") for n in range(6)]
    return made(bad[0], *good[:3], *bad[1:], *good[3:])


def test_error_names_the_first_and_counts_all(made):
    with pytest.raises(DataError) as caught:
        opened(bad_set(made))
    told = str(caught.value)
    assert "7 broken samples" in told
    assert "file: row 0: is odd" in told
    assert "row 5" not in told
    assert "and 2 more" in told
    assert "on_bad_sample" in told


def test_skip_keeps_them_as_problems(made):
    split = opened(bad_set(made), on_bad="skip")
    assert [sample.id for sample in split.samples] == list(range(6))
    assert len(split.problems) == 7


def test_broken_pictures(made):
    dataset = made()
    (dataset.images / "2.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1 broken sample:\s+image 2.png: is not a picture"):
        opened(dataset)
    split = opened(dataset, on_bad="skip")
    assert [sample.id for sample in split.samples] == [100, 101, 103, 104, 105]
    assert split.problems == (BadSample("image 2.png", "is not a picture in a known format"),)
    assert np.array_equal(split.pixels[2], decode(dataset.images / "3.png", 8))


def test_ids_that_a_reader_let_through_twice(made):
    twice = made(Sample(1, "0.png"), Sample(1, "1.png"))
    with pytest.raises(DataError, match="its id is there twice"):
        opened(twice)
    split = opened(twice, on_bad="skip")
    assert [sample.image for sample in split.samples] == ["0.png"]
    assert len(split.pixels) == 1


def test_texts_alone_have_no_pictures(made):
    split = opened(made(Sample(1, captions=("a",)), Sample(2, captions=("b",))))
    assert len(split.samples) == 2
    assert split.pixels.shape == (0, 8, 8, 3)


def test_texts_and_pictures_do_not_mix(made):
    with pytest.raises(DataError, match="mixes"):
        opened(made(Sample(1, captions=("a",)), Sample(2, "0.png")))


def test_nothing_usable(made):
    with pytest.raises(DataError, match="no usable sample") as caught:
        opened(made(BadSample("x", "is odd")), on_bad="skip")
    assert "1 broken" in caught.value.remedy


def test_blind_has_the_same_samples_and_no_picture(made):
    dataset = made()
    (dataset.images / "2.png").write_bytes(b"no picture")
    seeing, blind = opened(dataset, on_bad="skip"), opened(dataset, on_bad="skip", blind=True)
    assert blind.samples == seeing.samples
    assert blind.pixels.shape == seeing.pixels.shape
    assert blind.pixels.dtype == np.uint8
    assert set(np.unique(blind.pixels)) == {BLANK}


def test_progress_is_heard(made):
    heard = []
    opened(made(), heard=lambda done, of: heard.append((done, of)))
    assert heard == [(6, 6)]


def test_sealed_test_splits_are_not_opened_for_evaluation_either(made):
    dataset = made()
    with sealed("pretraining"):
        with pytest.raises(TestSplitRefused, match="pretraining may not read the test split"):
            opened(dataset, "test", "evaluate")
        assert len(opened(dataset, "train", "train").samples) == 6
        assert len(opened(dataset, "val", "evaluate").samples) == 6
    assert len(opened(dataset, "test", "evaluate").samples) == 6


def of_files(root, cache, put, captions):
    for split in ("train", "val", "test"):
        put(f"{split}.json", captions)
    return Coco(CocoConfig("set", captions={split: f"{split}.json" for split in ("train", "val", "test")}), root, cache)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_seal_holds_for_files_and_for_sets_around_them(root, cache, put, captions, share):
    dataset = weakened(of_files(root, cache, put, captions), Portion(share=share))
    with sealed("fine-tuning"):
        with pytest.raises(TestSplitRefused, match="fine-tuning"):
            dataset.read("test")
        assert len(list(dataset.read("train"))) == round(2 * share)


def test_a_seal_does_not_keep_a_set_from_its_fingerprint(root, cache, put, captions):
    dataset = of_files(root, cache, put, captions)
    with sealed("pretraining"):
        within = dataset.fingerprint()
    assert dataset.fingerprint() == within


def test_the_seal_holds_for_worlds(tmp_path):
    world = Digits(DigitsConfig(train=4, val=2, test=2), tmp_path, tmp_path)
    with sealed("tuning"):
        assert len(list(world.read("train"))) == 4  # written within the seal, test pictures and all
        with pytest.raises(TestSplitRefused, match="tuning"):
            world.read("test")
    assert len(list(world.read("test"))) == 2
