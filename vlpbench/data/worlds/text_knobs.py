"""The knobs of the corpora: the size of each, and those knobs of its world that decide the words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vlpbench.data.worlds import digit_scenes, shape_scenes, sign_scenes
from vlpbench.data.worlds.digit_scenes import DigitsConfig
from vlpbench.data.worlds.knobs import check_knobs
from vlpbench.data.worlds.shape_scenes import ShapesConfig
from vlpbench.data.worlds.sign_scenes import SignsConfig
from vlpbench.data.worlds.words import Lexicon
from vlpbench.data.worlds.world import Scenes

__all__ = ["OWN", "DigitsTextsConfig", "ShapesTextsConfig", "SignsTextsConfig"]

_RANGES: Mapping[str, tuple[int, int]] = {
    "train": (1, 1_000_000), "val": (1, 1_000_000), "words": (12, 64), "seed": (0, 2**31 - 1),
}

OWN = ("train", "val", "words", "seed")
"""The knobs of a corpus; all others are those of its world, of the same names."""


@dataclass(frozen=True)
class _TextsConfig:
    """What the knobs of all corpora have in common."""

    world: ClassVar[type]
    """The knobs of the world that is spoken about."""
    scenes: ClassVar[Scenes]
    """The module that knows its words."""
    called: ClassVar[str]
    """What a corpus with these knobs is, in an error."""
    train: int = 12_000
    """Training texts; short ones occur more than once, as they do among people."""
    val: int = 500
    """Validation texts, drawn as training texts are, from streams of their own."""
    words: int = 24
    """Most words of a text, 12 to 64; scenes that take more are left to pictures."""
    synonyms: float = 0.1
    """Share of words that are said by a synonym, 0 to 0.5."""
    seed: int = 0
    """Seed of the corpus: equal settings and seed give the same files."""

    def __post_init__(self) -> None:
        """Raise UserError naming the first knob that is out of its range."""
        check_knobs(self, _RANGES, self.called)
        self.lexicon()

    def lexicon(self) -> Lexicon:
        """The words of the world that is spoken about."""
        its = {one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.name not in OWN}
        return self.scenes.lexicon(self.world(**its))


@dataclass(frozen=True)
class DigitsTextsConfig(_TextsConfig):
    """The knobs of the corpus `digits-texts`: its size, and those of the world `digits` that decide its words."""

    world: ClassVar[type] = DigitsConfig
    scenes: ClassVar[Scenes] = digit_scenes
    called: ClassVar[str] = "corpus of digits"

    digits_min: int = 1
    """Least number of digits in an imagined scene."""
    digits_max: int = 2
    """Largest number of digits in an imagined scene, at most grid * grid."""
    classes: int = 5
    """How many of the ten digits occur, from 0 up."""
    colours: int = 5
    """How many colours occur, 1 to 8."""
    grid: int = 2
    """Cells a side, 2 or 3."""


@dataclass(frozen=True)
class ShapesTextsConfig(_TextsConfig):
    """The knobs of the corpus `shapes-texts`: its size, and those of the world `shapes` that decide its words."""

    world: ClassVar[type] = ShapesConfig
    scenes: ClassVar[Scenes] = shape_scenes
    called: ClassVar[str] = "corpus of shapes"

    shapes_min: int = 2
    """Least number of shapes in an imagined scene, at least 2."""
    shapes_max: int = 4
    """Largest number of shapes in an imagined scene, at most grid * grid."""
    kinds: int = 8
    """How many kinds occur, 1 to 9."""
    colours: int = 6
    """How many colours occur, 1 to 8."""
    sizes: int = 2
    """How many sizes occur, 1 or 2."""
    grid: int = 3
    """Cells a side, 2 or 3."""


@dataclass(frozen=True)
class SignsTextsConfig(_TextsConfig):
    """The knobs of the corpus `signs-texts`: its size, and those of the world `signs` that decide its words."""

    world: ClassVar[type] = SignsConfig
    scenes: ClassVar[Scenes] = sign_scenes
    called: ClassVar[str] = "corpus of signs"

    signs_min: int = 2
    """Least number of signs in an imagined scene, at least 2."""
    signs_max: int = 3
    """Largest number of signs in an imagined scene, at most grid * grid."""
    shapes: int = 6
    """How many shapes occur, 1 to 9."""
    digits: int = 6
    """How many of the ten digits occur, 1 to 10."""
    colours: int = 6
    """How many colours occur, 1 to 8."""
    sizes: int = 2
    """How many sizes occur, 1 or 2."""
    grid: int = 3
    """Cells a side, 2 or 3."""
