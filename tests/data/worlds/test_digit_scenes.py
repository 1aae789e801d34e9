"""The knobs of `digits`: ranges, fingerprints, and what is drawn from which handwriting."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from vlpbench.data.worlds.digit_scenes import DigitsConfig, fingerprint, lexicon, plan
from vlpbench.data.worlds.drawing import FULL, enlarged
from vlpbench.data.worlds.handwriting import BRIGHTEST, handwriting
from vlpbench.errors import UserError
from vlpbench.streams import generator


@pytest.mark.parametrize(("knob", "value", "allowed"), [
    ("classes", 0, "from 1 to 10"), ("classes", 11, "from 1 to 10"), ("colours", 0, "from 1 to 8"),
    ("colours", 9, "from 1 to 8"), ("size", 31, "from 32 to 128"), ("size", 129, "from 32 to 128"),
    ("grid", 1, "from 2 to 3"), ("grid", 4, "from 2 to 3"), ("digits_min", 0, "from 1 to 9"),
    ("digits_max", 5, "at most 4"), ("digits_min", 3, "at most digits_max, which is 2"),
    ("noise", 200, "from 0 to 128"),
    ("train", 0, "from 1 to 1000000"), ("test", -5, "from 1 to 1000000"), ("questions", 13, "from 1 to 12"),
    ("seed", -1, "from 0"), ("synonyms", 0.6, "from 0 to 0.5"),
    ("synonyms", "1", "from 0"), ("synonyms", True, "from 0"),
    ("size", 32.5, "whole number"), ("size", "32", "whole number"),
    ("grid", True, "whole number"),
])
def test_a_bad_knob_is_named_with_its_range(knob: str, value: Any, allowed: str) -> None:
    with pytest.raises(UserError, match=knob) as caught:
        DigitsConfig(**{knob: value})
    assert allowed in caught.value.remedy
    assert repr(value) in caught.value.cause


def test_every_knob_has_a_range_and_the_extremes_work() -> None:
    largest = DigitsConfig(size=128, digits_min=9, digits_max=9, classes=10, colours=8, grid=3, train=2, val=1, test=1)
    scenes = plan(largest, "digits", 1).scenes
    assert {split: len(mine) for split, mine in scenes.items()} == {"train": 2, "val": 1, "test": 1}
    assert len(scenes["train"][0].things) == 9
    for field in dataclasses.fields(DigitsConfig):
        with pytest.raises(UserError, match=field.name):
            DigitsConfig(**{field.name: -1})


def test_every_knob_is_in_the_fingerprint() -> None:
    usual = fingerprint(DigitsConfig(), "digits", 1)
    assert usual == fingerprint(DigitsConfig(), "digits", 1)
    changed = {"digits_min": 2, "synonyms": 0.2}
    for field in dataclasses.fields(DigitsConfig):
        value = changed.get(field.name, DigitsConfig.__dataclass_fields__[field.name].default + 1)  # type: ignore[operator]
        assert fingerprint(DigitsConfig(**{field.name: value}), "digits", 1) != usual, field.name
    assert fingerprint(DigitsConfig(), "digits", 2) != usual
    assert fingerprint(DigitsConfig(), "other", 1) != usual


def test_splits_use_handwriting_of_their_own() -> None:
    digits = handwriting()
    scenes = plan(DigitsConfig(train=800, val=200, test=200), "digits", 1).scenes
    seen = {
        split: {digits.pictures[thing.variant].tobytes() for scene in mine for thing in scene.things}
        for split, mine in scenes.items()
    }
    assert not seen["test"] & (seen["train"] | seen["val"])
    assert not seen["val"] & seen["train"]
    assert len(seen["train"]) > 400


def test_a_digit_is_drawn_from_a_sample_of_its_class_in_its_box() -> None:
    digits = handwriting()
    made = plan(DigitsConfig(train=60, val=1, test=1, noise=0, size=64), "digits", 1)
    for scene in made.scenes["train"]:
        picture = made.paint(scene, generator(0, "x"))
        expected = np.zeros((64, 64), bool)
        for thing in scene.things:
            assert digits.labels[thing.variant] == thing.attributes["kind"]
            x, y, side, _ = thing.box
            expected[y:y + side, x:x + side] = enlarged(digits.pictures[thing.variant], side, BRIGHTEST) > FULL / 8
        assert ((picture.max(2) > 0) | ~expected).all()
        assert (expected | (picture.max(2) < 64)).all()


def test_one_split_does_not_depend_on_the_size_of_another() -> None:
    small = plan(DigitsConfig(train=10, val=5, test=50), "digits", 1).scenes["test"]
    large = plan(DigitsConfig(train=99, val=9, test=50), "digits", 1).scenes["test"]
    assert small == large


def test_test_scenes_are_distinct() -> None:
    scenes = plan(DigitsConfig(train=1), "digits", 1).scenes
    for split in ("val", "test"):
        assert len({scene.description for scene in scenes[split]}) == 500


def test_first_words_are_what_vqa_answers_look_like() -> None:
    words = lexicon(DigitsConfig(classes=10, colours=8))
    assert [words.word("kind", i) for i in range(10)] == list("0123456789")
    assert words.word("colour", 0) == "red"
    assert words.word("place", 3) == "bottom right"
