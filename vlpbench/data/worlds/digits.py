"""The world `digits`: scenes of real handwritten digits in colours, with captions and questions; no download."""

from __future__ import annotations

from typing import ClassVar

from vlpbench.data.worlds.digit_scenes import DigitsConfig, fingerprint, lexicon, plan
from vlpbench.data.worlds.words import Lexicon
from vlpbench.data.worlds.world import World
from vlpbench.data.worlds.writing import Plan

__all__ = ["Digits", "DigitsConfig"]


class Digits(World):
    """Real handwritten digits in colours, written once to the cache in the formats of real sets."""

    name: ClassVar[str] = "digits"
    cites: ClassVar[tuple[str, ...]] = ("alpaydin1998digits", "pedregosa2011sklearn")
    version: ClassVar[int] = 1
    source: ClassVar[str] = "handwriting of scikit-learn (UCI, CC BY 4.0)"
    config_class: ClassVar[type] = DigitsConfig
    config: DigitsConfig

    def fingerprint(self) -> str:
        """A hash of the knobs, the version and the handwriting; the world need not be written."""
        return fingerprint(self.config, self.name, self.version)

    def lexicon(self) -> Lexicon:
        """Digits, colours, places."""
        return lexicon(self.config)

    def plan(self) -> Plan:
        """Scenes, words and brush."""
        return plan(self.config, self.name, self.version)

    def contents(self) -> str:
        """How many digits of which kinds a picture shows."""
        c = self.config
        return (
            f"{c.digits_min} to {c.digits_max} digits of {c.classes} classes in {c.colours} colours, "
            f"{c.grid} x {c.grid} cells"
        )
