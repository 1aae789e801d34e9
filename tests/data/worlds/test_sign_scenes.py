"""The knobs of `signs`: ranges, fingerprints, extremes, and what is drawn from which handwriting."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.data.worlds.sign_reader import sorts
from vlpbench.data.worlds.drawing import FULL, enlarged
from vlpbench.data.worlds.handwriting import BRIGHTEST, handwriting
from vlpbench.data.worlds.outlines import SHAPES, outline
from vlpbench.data.worlds.questions import ask
from vlpbench.data.worlds.sign_scenes import SignsConfig, fingerprint, lexicon, plan
from vlpbench.errors import UserError
from vlpbench.streams import generator


@pytest.mark.parametrize(("knob", "value", "allowed"), [
    ("shapes", 0, "from 1 to 9"), ("shapes", 10, "from 1 to 9"), ("digits", 0, "from 1 to 10"),
    ("digits", 11, "from 1 to 10"), ("colours", 9, "from 1 to 8"), ("sizes", 3, "from 1 to 2"),
    ("size", 31, "from 32 to 128"), ("grid", 4, "from 2 to 3"), ("signs_min", 1, "from 2 to 9"),
    ("signs_max", 10, "from 2 to 9"), ("signs_min", 4, "at most signs_max, which is 3"), ("noise", 129, "to 128"),
    ("questions", 13, "from 0 to 12"), ("synonyms", 0.6, "from 0 to 0.5"), ("exact", 1.1, "from 0 to 1"),
    ("exact", -0.1, "from 0 to 1"), ("exact", True, "a number from 0 to 1"), ("exact", "1", "a number from 0 to 1"),
    ("exact", float("nan"), "from 0 to 1"), ("grid", True, "whole number"), ("digits", "6", "whole number"),
])
def test_a_bad_knob_is_named_with_its_range(knob: str, value: Any, allowed: str) -> None:
    with pytest.raises(UserError, match=f"{knob} = .* makes no world of signs") as caught:
        SignsConfig(**{knob: value})
    assert allowed in caught.value.remedy
    assert knob in caught.value.place


def test_more_signs_than_cells_are_refused() -> None:
    with pytest.raises(UserError, match="signs_max") as caught:
        SignsConfig(grid=2, signs_max=5)
    assert "at most 4" in caught.value.remedy


def test_every_knob_has_a_range_and_is_in_the_fingerprint() -> None:
    usual = fingerprint(SignsConfig(), "signs", 1)
    changed = {"synonyms": 0.2, "exact": 0.5, "sizes": 1, "grid": 2, "signs_min": 3}
    for field in dataclasses.fields(SignsConfig):
        with pytest.raises(UserError, match=field.name):
            SignsConfig(**{field.name: -1})
        value = changed.get(field.name) or SignsConfig.__dataclass_fields__[field.name].default + 1
        assert fingerprint(SignsConfig(**{field.name: value}), "signs", 1) != usual, field.name
    assert fingerprint(SignsConfig(), "signs", 2) != usual


@pytest.mark.parametrize("knobs", [
    {"size": 32}, {"size": 35}, {"size": 128, "grid": 2}, {"size": 128, "signs_min": 9, "signs_max": 9},
    {"shapes": 1, "digits": 1, "colours": 1, "sizes": 1, "grid": 2}, {"shapes": 9, "digits": 10, "colours": 8},
    {"signs_min": 2, "signs_max": 2}, {"questions": 0}, {"questions": 12}, {"noise": 0},
])
def test_the_extremes_work(knobs: dict[str, int]) -> None:
    config = SignsConfig(train=20, val=2, test=2, **knobs)
    made = plan(config, "signs", 1)
    for scene in made.scenes["train"]:
        assert config.signs_min <= len(scene.things) <= config.signs_max
        sides: dict[int, set[int]] = {0: set(), 1: set()}
        for thing in scene.things:
            sides[thing.attributes["size"]].add(thing.box[2])
        assert not sides[0] or not sides[1] or min(sides[0]) >= 1.3 * max(sides[1])
        assert made.paint(scene, generator(0, "x")).shape == (config.size, config.size, 3)
    asked = ask(made.scenes["train"], made.lexicon, config.questions, generator(0, "ask"))
    assert max(map(len, asked)) == config.questions


def test_what_follows_from_a_kind_or_a_colour_is_known_of_every_sign() -> None:
    words = lexicon(SignsConfig(shapes=9, digits=10, colours=8))
    made = plan(SignsConfig(train=100, val=1, test=1, shapes=9, digits=10, colours=8), "signs", 1)
    for scene in made.scenes["train"]:
        for thing in scene.things:
            said = {name: words.word(name, value) for name, value in thing.attributes.items()}
            assert {name: said[name] for name in ("class", "nature", "warmth")} == sorts(said["kind"], said["colour"])


def test_splits_use_handwriting_of_their_own() -> None:
    digits = handwriting()
    config = SignsConfig(train=800, val=200, test=200)
    seen = {
        split: {digits.pictures[thing.variant].tobytes() for scene in mine for thing in scene.things
                if thing.attributes["kind"] >= config.shapes}
        for split, mine in plan(config, "signs", 1).scenes.items()
    }
    assert not seen["test"] & (seen["train"] | seen["val"])
    assert not seen["val"] & seen["train"]
    assert len(seen["train"]) > 300
    assert len(seen["test"]) > 80


def test_a_sign_is_painted_in_its_box_by_its_outline_or_by_a_sample_of_its_digit() -> None:
    digits = handwriting()
    config = SignsConfig(train=60, val=1, test=1, noise=0, colours=1, shapes=9, digits=10)
    made = plan(config, "signs", 1)
    found = set()
    for scene in made.scenes["train"]:
        red = made.paint(scene, generator(0, "x"))[:, :, 0]
        rest = np.ones(red.shape, bool)
        for thing in scene.things:
            kind, (x, y, side, _) = thing.attributes["kind"], thing.box
            if kind < 9:
                mask = outline(SHAPES[kind], side)
            else:
                assert digits.labels[thing.variant] == kind - 9
                mask = enlarged(digits.pictures[thing.variant], side, BRIGHTEST)
            assert (red[y:y + side, x:x + side][mask == FULL] >= 215).all()
            assert (red[y:y + side, x:x + side][mask == 0] == 0).all()
            rest[y:y + side, x:x + side] = False
            found.add(kind)
        assert not red[rest].any()
    assert len(found) == 19


def test_one_split_does_not_depend_on_the_size_of_another() -> None:
    small = plan(SignsConfig(train=10, val=5, test=50), "signs", 1).scenes["test"]
    large = plan(SignsConfig(train=99, val=9, test=50), "signs", 1).scenes["test"]
    assert small == large
    assert len({scene.description for scene in small}) == 50


def test_scenes_are_the_same_whatever_is_said_about_them() -> None:
    """Rows of a grid that differ in their captions see the same pictures and questions."""
    usual = plan(SignsConfig(train=30, val=5, test=5), "signs", 1)
    brief = plan(SignsConfig(train=30, val=5, test=5, exact=0.0, synonyms=0.3), "signs", 1)
    assert usual.scenes == brief.scenes
    asked = [ask(made.scenes["train"], made.lexicon, 4, generator(0, "ask")) for made in (usual, brief)]
    assert asked[0] == asked[1]


def test_words_follow_the_knobs() -> None:
    words = lexicon(SignsConfig(shapes=2, digits=3, colours=4, sizes=1, grid=2, exact=0.25))
    numbers = {name: len(values) for name, values in words.words.items()}
    assert numbers == {"kind": 5, "colour": 4, "size": 1, "place": 4, "class": 2, "nature": 4, "warmth": 2}
    assert [words.word("kind", value) for value in range(5)] == ["circle", "square", "0", "1", "2"]
    assert words.exact == 0.25
    assert (words.grid, words.fewest, words.most) == (2, 2, 3)
