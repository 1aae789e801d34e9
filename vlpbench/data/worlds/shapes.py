"""The world `shapes`: coloured shapes of two sizes on a grid, with captions and questions; no download."""

from __future__ import annotations

from typing import ClassVar

from vlpbench.data.worlds.shape_scenes import ShapesConfig, fingerprint, lexicon, plan
from vlpbench.data.worlds.words import Lexicon
from vlpbench.data.worlds.world import World
from vlpbench.data.worlds.writing import Plan

__all__ = ["Shapes", "ShapesConfig"]


class Shapes(World):
    """Coloured shapes with sizes, places and relations, written once to the cache in the formats of real sets."""

    name: ClassVar[str] = "shapes"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "drawn"
    config_class: ClassVar[type] = ShapesConfig
    config: ShapesConfig

    def fingerprint(self) -> str:
        """A hash of the knobs and the version; the world need not be written."""
        return fingerprint(self.config, self.name, self.version)

    def lexicon(self) -> Lexicon:
        """Shapes, colours, sizes, places and relations."""
        return lexicon(self.config)

    def plan(self) -> Plan:
        """Scenes, words and brush."""
        return plan(self.config, self.name, self.version)

    def contents(self) -> str:
        """How many shapes of which kinds a picture shows."""
        c = self.config
        return (
            f"{c.shapes_min} to {c.shapes_max} shapes of {c.kinds} kinds in {c.colours} colours and {c.sizes} sizes, "
            f"{c.grid} x {c.grid} cells"
        )
