"""The world `digits`: scenes of real handwritten digits in colours, with captions and questions; no download."""

from __future__ import annotations

from typing import ClassVar

from vlpbench.data.worlds import digit_scenes
from vlpbench.data.worlds.digit_scenes import DigitsConfig
from vlpbench.data.worlds.world import Scenes, World

__all__ = ["Digits", "DigitsConfig"]


class Digits(World):
    """Real handwritten digits in colours, written once to the cache in the formats of real sets."""

    name: ClassVar[str] = "digits"
    cites: ClassVar[tuple[str, ...]] = ("alpaydin1998digits", "pedregosa2011sklearn")
    version: ClassVar[int] = 1
    scenes: ClassVar[Scenes] = digit_scenes
    source: ClassVar[str] = "handwriting of scikit-learn (UCI, CC BY 4.0)"
    config_class: ClassVar[type] = DigitsConfig
    config: DigitsConfig

    def contents(self) -> str:
        """How many digits of which kinds a picture shows."""
        c = self.config
        return (
            f"{c.digits_min} to {c.digits_max} digits of {c.classes} classes in {c.colours} colours, "
            f"{c.grid} x {c.grid} cells"
        )
