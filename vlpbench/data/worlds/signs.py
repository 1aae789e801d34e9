"""The world `signs`: coloured shapes and handwritten digits on a grid, with captions and questions; no download."""

from __future__ import annotations

from typing import ClassVar

from vlpbench.data.worlds.sign_scenes import SignsConfig, fingerprint, lexicon, plan
from vlpbench.data.worlds.words import Lexicon
from vlpbench.data.worlds.world import World
from vlpbench.data.worlds.writing import Plan

__all__ = ["Signs", "SignsConfig"]


class Signs(World):
    """Shapes to recognise and digits to read, with sizes, places and relations; written once as real sets are."""

    name: ClassVar[str] = "signs"
    cites: ClassVar[tuple[str, ...]] = ("alpaydin1998digits", "pedregosa2011sklearn")
    version: ClassVar[int] = 1
    source: ClassVar[str] = "drawn, and handwriting of scikit-learn (UCI, CC BY 4.0)"
    config_class: ClassVar[type] = SignsConfig
    config: SignsConfig

    def fingerprint(self) -> str:
        """A hash of the knobs, the version and the handwriting; the world need not be written."""
        return fingerprint(self.config, self.name, self.version)

    def lexicon(self) -> Lexicon:
        """Shapes, digits, colours, sizes, places, relations, and sorts of them."""
        return lexicon(self.config)

    def plan(self) -> Plan:
        """Scenes, words and brush."""
        return plan(self.config, self.name, self.version)

    def contents(self) -> str:
        """How many signs of which kinds a picture shows."""
        c = self.config
        return (
            f"{c.signs_min} to {c.signs_max} signs ({c.shapes} shapes, {c.digits} digits) in {c.colours} colours and "
            f"{c.sizes} sizes, {c.grid} x {c.grid} cells"
        )
