"""From knobs to the plan of a world: what all worlds do alike with their own layouts, masks and words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from vlpbench.data.worlds.drawing import draw
from vlpbench.data.worlds.scene import Layout, Scene, Thing, draw_scenes
from vlpbench.data.worlds.words import PAINTS, Lexicon
from vlpbench.data.worlds.writing import Plan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SPLITS", "Knobs", "planned", "scenes_of"]

SPLITS = ("train", "val", "test")
"""The splits of every world."""


class Knobs(Protocol):
    """The knobs that every world has."""

    @property
    def size(self) -> int:
        """Pixels a side of a picture."""

    @property
    def noise(self) -> int:
        """Brightest value of the noisy background."""

    @property
    def questions(self) -> int:
        """Questions an image, at most."""

    @property
    def seed(self) -> int:
        """Seed of the world."""


def scenes_of(config: Any) -> dict[str, int]:
    """Number of scenes of each split, which the knobs of these names say."""
    return {split: getattr(config, split) for split in SPLITS}


def planned(
    name: str, fingerprint: str, config: Knobs, licence: Mapping[str, Any], lexicon: Lexicon,
    layout: Callable[[str], Layout], mask: Callable[[Thing], NDArray[np.int64]],
) -> Plan:
    """All that `writing.write` needs: `layout` of each split, and the `mask` of each thing (side, side: 0 to FULL).

    Scenes of "val" and "test" have different descriptions as far as there are so many, training scenes need not.
    """
    scenes = {
        split: draw_scenes(layout(split), number, config.seed, f"world/{split}/scenes", split != "train")
        for split, number in scenes_of(config).items()
    }
    paints = list(PAINTS.values())

    def paint(scene: Scene, rng: np.random.Generator) -> NDArray[np.uint8]:
        masks = [mask(thing) for thing in scene.things]
        tints = [paints[thing.attributes["colour"]] for thing in scene.things]
        return draw(scene, masks, tints, config.size, config.noise, rng)

    return Plan(name, fingerprint, config.seed, config.size, config.questions, licence, lexicon, scenes, paint)
