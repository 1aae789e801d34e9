"""The knobs of `shapes`: ranges, fingerprints, and splits that do not depend on each other."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from vlpbench.data.worlds.drawing import FULL
from vlpbench.data.worlds.outlines import SHAPES, outline
from vlpbench.data.worlds.shape_scenes import ShapesConfig, fingerprint, lexicon, plan
from vlpbench.errors import UserError
from vlpbench.streams import generator


@pytest.mark.parametrize(("knob", "value", "allowed"), [
    ("kinds", 0, "from 1 to 9"), ("kinds", 10, "from 1 to 9"), ("colours", 9, "from 1 to 8"),
    ("sizes", 3, "from 1 to 2"), ("size", 31, "from 32 to 128"), ("grid", 4, "from 2 to 3"),
    ("shapes_min", 1, "from 2 to 9"), ("shapes_max", 10, "from 2 to 9"),
    ("shapes_min", 5, "at most shapes_max, which is 4"), ("noise", 200, "to 128"),
    ("questions", 13, "from 1 to 12"), ("synonyms", 0.6, "from 0 to 0.5"), ("grid", True, "whole number"),
    ("colours", "6", "whole number"),
])
def test_a_bad_knob_is_named_with_its_range(knob: str, value: Any, allowed: str) -> None:
    with pytest.raises(UserError, match=f"{knob} = .* makes no world of shapes") as caught:
        ShapesConfig(**{knob: value})
    assert allowed in caught.value.remedy
    assert knob in caught.value.place


def test_more_shapes_than_cells_are_refused() -> None:
    with pytest.raises(UserError, match="shapes_max") as caught:
        ShapesConfig(grid=2, shapes_max=5)
    assert "at most 4" in caught.value.remedy


def test_every_knob_has_a_range_and_is_in_the_fingerprint() -> None:
    usual = fingerprint(ShapesConfig(), "shapes", 1)
    changed = {"synonyms": 0.2, "sizes": 1, "grid": 2, "shapes_min": 3}
    for field in dataclasses.fields(ShapesConfig):
        with pytest.raises(UserError, match=field.name):
            ShapesConfig(**{field.name: -1})
        value = changed.get(field.name) or ShapesConfig.__dataclass_fields__[field.name].default + 1
        assert fingerprint(ShapesConfig(**{field.name: value}), "shapes", 1) != usual, field.name
    assert fingerprint(ShapesConfig(), "shapes", 2) != usual


@pytest.mark.parametrize("knobs", [
    {"size": 32}, {"size": 128, "grid": 2}, {"size": 128, "shapes_min": 9, "shapes_max": 9},
    {"kinds": 1, "colours": 1, "sizes": 1, "grid": 2}, {"size": 35},
])
def test_the_extremes_work(knobs: dict[str, int]) -> None:
    config = ShapesConfig(train=20, val=2, test=2, **knobs)
    made = plan(config, "shapes", 1)
    for scene in made.scenes["train"]:
        assert config.shapes_min <= len(scene.things) <= config.shapes_max
        sides: dict[int, set[int]] = {0: set(), 1: set()}
        for thing in scene.things:
            sides[thing.attributes["size"]].add(thing.box[2])
        assert not sides[0] or not sides[1] or min(sides[0]) >= 1.3 * max(sides[1])
        assert made.paint(scene, generator(0, "x")).shape == (config.size, config.size, 3)


def test_a_shape_is_painted_by_its_outline_in_its_box() -> None:
    config = ShapesConfig(train=40, val=1, test=1, noise=0, colours=1, kinds=9)
    made = plan(config, "shapes", 1)
    for scene in made.scenes["train"]:
        red = made.paint(scene, generator(0, "x"))[:, :, 0]
        for thing in scene.things:
            x, y, side, _ = thing.box
            mask = outline(SHAPES[thing.attributes["kind"]], side)
            assert (red[y:y + side, x:x + side][mask == FULL] >= 215).all()
            assert (red[y:y + side, x:x + side][mask == 0] == 0).all()


def test_one_split_does_not_depend_on_the_size_of_another() -> None:
    small = plan(ShapesConfig(train=10, val=5, test=50), "shapes", 1).scenes["test"]
    large = plan(ShapesConfig(train=99, val=9, test=50), "shapes", 1).scenes["test"]
    assert small == large
    assert len({scene.description for scene in small}) == 50


def test_words_follow_the_knobs() -> None:
    words = lexicon(ShapesConfig(kinds=2, colours=3, sizes=1, grid=2))
    numbers = {name: len(values) for name, values in words.words.items()}
    assert numbers == {"kind": 2, "colour": 3, "size": 1, "place": 4}
    assert words.grid == 2
    assert sum(form.share for form in words.forms) == pytest.approx(1)
