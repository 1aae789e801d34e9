"""The world `shapes`: coloured shapes of two sizes on a grid, with captions and questions; no download."""

from __future__ import annotations

from typing import ClassVar

from vlpbench.data.worlds import shape_scenes
from vlpbench.data.worlds.shape_scenes import ShapesConfig
from vlpbench.data.worlds.world import Scenes, World

__all__ = ["Shapes", "ShapesConfig"]


class Shapes(World):
    """Coloured shapes with sizes, places and relations, written once to the cache in the formats of real sets."""

    name: ClassVar[str] = "shapes"
    version: ClassVar[int] = 1
    scenes: ClassVar[Scenes] = shape_scenes
    source: ClassVar[str] = "drawn"
    config_class: ClassVar[type] = ShapesConfig
    config: ShapesConfig

    def contents(self) -> str:
        """How many shapes of which kinds a picture shows."""
        c = self.config
        return (
            f"{c.shapes_min} to {c.shapes_max} shapes of {c.kinds} kinds in {c.colours} colours and {c.sizes} sizes, "
            f"{c.grid} x {c.grid} cells"
        )
