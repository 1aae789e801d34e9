"""The world `signs`: coloured shapes and handwritten digits on a grid, with captions and questions; no download."""

from __future__ import annotations

from typing import ClassVar

from vlpbench.data.worlds import sign_scenes
from vlpbench.data.worlds.sign_scenes import SignsConfig
from vlpbench.data.worlds.world import Scenes, World

__all__ = ["Signs", "SignsConfig"]


class Signs(World):
    """Shapes to recognise and digits to read, with sizes, places and relations; written once as real sets are."""

    name: ClassVar[str] = "signs"
    cites: ClassVar[tuple[str, ...]] = ("alpaydin1998digits", "pedregosa2011sklearn")
    version: ClassVar[int] = 1
    scenes: ClassVar[Scenes] = sign_scenes
    source: ClassVar[str] = "drawn, and handwriting of scikit-learn (UCI, CC BY 4.0)"
    config_class: ClassVar[type] = SignsConfig
    config: SignsConfig

    def contents(self) -> str:
        """How many signs of which kinds a picture shows."""
        c = self.config
        return (
            f"{c.signs_min} to {c.signs_max} signs ({c.shapes} shapes, {c.digits} digits) in {c.colours} colours and "
            f"{c.sizes} sizes, {c.grid} x {c.grid} cells"
        )
