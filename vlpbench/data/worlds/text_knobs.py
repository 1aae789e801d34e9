"""The knobs of the corpora: the size of each, and those knobs of its world that decide the words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlpbench.data.worlds import digit_scenes, shape_scenes, sign_scenes
from vlpbench.data.worlds.digit_scenes import DigitsConfig
from vlpbench.data.worlds.knobs import check_knobs
from vlpbench.data.worlds.shape_scenes import ShapesConfig
from vlpbench.data.worlds.sign_scenes import SignsConfig
from vlpbench.data.worlds.words import Lexicon

__all__ = ["OWN", "DigitsTextsConfig", "ShapesTextsConfig", "SignsTextsConfig"]

_RANGES: Mapping[str, tuple[int, int]] = {
    "train": (1, 1_000_000), "val": (1, 1_000_000), "words": (12, 64), "seed": (0, 2**31 - 1),
}

OWN = ("train", "val", "words", "seed")
"""The knobs of a corpus; all others are those of its world, of the same names."""


@dataclass(frozen=True)
class DigitsTextsConfig:
    """The knobs of the corpus `digits-texts`: its size, and those of the world `digits` that decide its words."""

    train: int = 12_000
    """Training texts; short ones occur more than once, as they do among people."""
    val: int = 500
    """Validation texts, drawn as training texts are, from streams of their own."""
    words: int = 24
    """Most words of a text, 12 to 64; scenes that take more are left to pictures."""
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
    synonyms: float = 0.1
    """Share of words that are said by a synonym, 0 to 0.5."""
    seed: int = 0
    """Seed of the corpus: equal settings and seed give the same files."""

    def __post_init__(self) -> None:
        """Raise UserError naming the first knob that is out of its range."""
        check_knobs(self, _RANGES, "corpus of digits")
        self.lexicon()

    def lexicon(self) -> Lexicon:
        """The words of the world that is spoken about."""
        return digit_scenes.lexicon(DigitsConfig(**_of_world(self)))


@dataclass(frozen=True)
class ShapesTextsConfig:
    """The knobs of the corpus `shapes-texts`: its size, and those of the world `shapes` that decide its words."""

    train: int = 12_000
    """Training texts; short ones occur more than once, as they do among people."""
    val: int = 500
    """Validation texts, drawn as training texts are, from streams of their own."""
    words: int = 24
    """Most words of a text, 12 to 64; scenes that take more are left to pictures."""
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
    synonyms: float = 0.1
    """Share of words that are said by a synonym, 0 to 0.5."""
    seed: int = 0
    """Seed of the corpus: equal settings and seed give the same files."""

    def __post_init__(self) -> None:
        """Raise UserError naming the first knob that is out of its range."""
        check_knobs(self, _RANGES, "corpus of shapes")
        self.lexicon()

    def lexicon(self) -> Lexicon:
        """The words of the world that is spoken about."""
        return shape_scenes.lexicon(ShapesConfig(**_of_world(self)))


@dataclass(frozen=True)
class SignsTextsConfig:
    """The knobs of the corpus `signs-texts`: its size, and those of the world `signs` that decide its words."""

    train: int = 12_000
    """Training texts; short ones occur more than once, as they do among people."""
    val: int = 500
    """Validation texts, drawn as training texts are, from streams of their own."""
    words: int = 24
    """Most words of a text, 12 to 64; scenes that take more are left to pictures."""
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
    synonyms: float = 0.1
    """Share of words that are said by a synonym, 0 to 0.5."""
    seed: int = 0
    """Seed of the corpus: equal settings and seed give the same files."""

    def __post_init__(self) -> None:
        """Raise UserError naming the first knob that is out of its range."""
        check_knobs(self, _RANGES, "corpus of signs")
        self.lexicon()

    def lexicon(self) -> Lexicon:
        """The words of the world that is spoken about."""
        return sign_scenes.lexicon(SignsConfig(**_of_world(self)))


def _of_world(config: Any) -> dict[str, Any]:
    """The knobs that a corpus has from its world."""
    return {one.name: getattr(config, one.name) for one in dataclasses.fields(config) if one.name not in OWN}
