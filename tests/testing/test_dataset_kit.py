"""Our worlds pass every check of data sets; sets that are wrong fail the right one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from PIL import Image

from vlpbench.contract.dataset import Dataset
from vlpbench.contract.noconfig import NoConfig
from vlpbench.data.worlds.digits import Digits
from vlpbench.data.worlds.shapes import Shapes
from vlpbench.data.worlds.signs import Signs
from vlpbench.data.worlds.texts import DigitsTexts, ShapesTexts, SignsTexts
from vlpbench.testing import CheckFailed, check_dataset, dataset_checks
from vlpbench.types import Question, Sample


@dataclass(frozen=True)
class Small:
    """No settings that matter."""

    shared: bool = False
    """Whether the splits share a picture."""


class Listed(Dataset):
    """Three samples a split."""

    name, config_class = "listed", Small

    @property
    def images(self):
        return self.root

    def splits(self):
        return ("train", "test")

    def read(self, split):
        if split not in self.splits():
            raise ValueError(f"no split {split!r}; there are train and test")
        start = 0 if split == "train" else 3
        for number in range(start, start + 3):
            question = Question(number, "how many?", ("two",))
            yield Sample(number, f"{number}.png", (f"picture {number}",), (question,), {"boxes": [number]})

    def fingerprint(self):
        return "0123456789abcdef"


def changed(**facts):
    """Samples with other facts in the test split."""

    class Changed(Listed):
        def read(self, split):
            for sample in super().read(split):
                yield sample if split == "train" else replace(sample, **facts)

    return Changed


class Restless(Listed):
    """Another order each time."""

    turn = 0

    def read(self, split):
        Restless.turn += 1
        samples = list(super().read(split))
        yield from samples[:: 1 if Restless.turn % 2 else -1]


class Ageing(Listed):
    """Another fingerprint each time."""

    turn = 0

    def fingerprint(self):
        Ageing.turn += 1
        return f"{Ageing.turn:032d}"


class Empty(Listed):
    """A split without samples."""

    def splits(self):
        return ("train", "val", "test")

    def read(self, split):
        yield from () if split == "val" else super().read(split)


class Lenient(Listed):
    """Any split may be read."""

    def read(self, split):
        yield from super().read(split if split in self.splits() else "train")


WRONG = {
    "pictures outside": (changed(image="../secret.png"), "pictures"),
    "no such picture": (changed(image="none.png"), "pictures"),
    "an id twice": (changed(id=7), "ids"),
    "a question twice": (changed(questions=(Question(1, "how many?"),)), "ids"),
    "a line break": (changed(captions=("two\nlines",)), "texts"),
    "an empty caption": (changed(captions=("",)), "texts"),
    "markup": (changed(captions=("a <b>bold</b> word",)), "texts"),
    "no text": (changed(captions=(), questions=()), "texts"),
    "a shared picture": (changed(image="0.png"), "splits-apart"),
    "restless": (Restless, "order"),
    "ageing": (Ageing, "fingerprint"),
    "an empty split": (Empty, "splits"),
    "lenient": (Lenient, "splits"),
}


@pytest.fixture
def listed(tmp_path):
    for number in range(6):
        Image.new("RGB", (8, 8), (40 * number, 80, 120)).save(tmp_path / f"{number}.png")
    return lambda cls: cls(Small(), tmp_path, tmp_path)


@pytest.mark.parametrize(("cls", "check"), WRONG.values(), ids=WRONG)
def test_a_wrong_data_set_fails_the_right_check(listed, cls, check):
    with pytest.raises(CheckFailed) as caught:
        dataset_checks()[check](listed(cls))
    assert caught.value.check == check and caught.value.remedy


def test_fields_that_differ_from_sample_to_sample_are_found(listed):
    class Odd(Listed):
        def read(self, split):
            for sample in super().read(split):
                yield replace(sample, fields={} if sample.id == 1 else sample.fields)

    (finding,) = check_dataset(listed(Odd), only=["fields"])
    assert finding.state == "failed" and "sample 1" in finding.cause


def test_a_right_set_passes(listed):
    found = check_dataset(listed(Listed))
    assert {finding.state for finding in found} == {"passed"}, "\n".join(map(str, found))
    assert "vqa" in found[-1].told and "retrieval" in found[-1].told


def test_a_picture_that_cannot_be_decoded_fails_in_a_grid(listed, tmp_path):
    given = listed(Listed)
    (tmp_path / "1.png").write_bytes(b"no picture")
    (finding,) = check_dataset(given, only=["smoke-grid"])
    assert finding.state == "failed" and "1.png" in finding.cause and finding.remedy


def test_settings_that_are_no_dataclass_are_found(listed):
    class Loose(Listed):
        config_class = dict

    class Kept(Listed):
        config_class = NoConfig

    assert [one.state for one in check_dataset(listed(Loose), only=["metadata"])] == ["failed"]
    assert [one.state for one in check_dataset(listed(Kept), only=["metadata"])] == ["passed"]


@pytest.mark.parametrize("cls", [Digits, Shapes, Signs, DigitsTexts, ShapesTexts, SignsTexts], ids=lambda cls: cls.name)
def test_a_built_in_world_passes(cls, tmp_path):
    few = {name: number for name, number in (("train", 24), ("val", 6), ("test", 6))
           if name in cls.config_class.__dataclass_fields__}
    world = cls(cls.config_class(**few), tmp_path, tmp_path)
    failed = [str(finding) for finding in check_dataset(world) if finding.state == "failed"]
    assert not failed, "\n".join(failed)
