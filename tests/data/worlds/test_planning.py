"""What all worlds' plans have in common: the splits' numbers, which scenes are distinct, who paints."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from vlpbench.data.worlds.drawing import FULL
from vlpbench.data.worlds.planning import planned, scenes_of
from vlpbench.data.worlds.scene import Layout
from vlpbench.data.worlds.words import PAINTS, Lexicon

KNOBS = SimpleNamespace(size=16, noise=0, questions=1, seed=3, train=40, val=2, test=4)
ONE = Layout(16, 2, 1, 1, {"kind": 1, "colour": 1}, ((1.0, 1.0),))  # four descriptions: one for each place
WORDS = Lexicon("thing", {}, (), (), 1)


def test_numbers_of_scenes() -> None:
    assert scenes_of(KNOBS) == {"train": 40, "val": 2, "test": 4}


def test_scenes_that_are_tested_on_differ_and_layouts_are_asked_by_split() -> None:
    asked = []
    made = planned("w", "f", KNOBS, {}, WORDS, lambda split: asked.append(split) or ONE, lambda thing: np.zeros((8, 8)))
    assert asked == ["train", "val", "test"]
    assert {split: len(scenes) for split, scenes in made.scenes.items()} == scenes_of(KNOBS)
    assert len({scene.description for scene in made.scenes["test"]}) == 4
    assert made.scenes == planned("w", "f", KNOBS, {}, WORDS, lambda split: ONE, lambda thing: np.zeros((8, 8))).scenes


def test_a_thing_is_painted_in_its_colour_where_its_mask_is() -> None:
    made = planned("w", "f", KNOBS, {}, WORDS, lambda split: ONE, lambda thing: np.full(thing.box[2:], FULL))
    for scene in made.scenes["test"]:
        x, y, width, height = scene.things[0].box
        picture = made.paint(scene, np.random.default_rng(0))
        inside = np.zeros((16, 16), bool)
        inside[y : y + height, x : x + width] = True
        assert np.allclose(picture[inside], next(iter(PAINTS.values())), rtol=0.2)  # things differ in brightness
        assert not picture[~inside].any()
