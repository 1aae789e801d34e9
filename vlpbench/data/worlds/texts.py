"""Corpora of texts without pictures that speak a world's language (SimVLM's text-only arm, arXiv 2108.10904)."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from vlpbench.contract.dataset import BadSample
from vlpbench.data.sources.text import Text, TextConfig
from vlpbench.data.worlds import digit_scenes, shape_scenes, sign_scenes
from vlpbench.data.worlds.digit_scenes import DigitsConfig
from vlpbench.data.worlds.knobs import check_knobs
from vlpbench.data.worlds.made import Heard, Made
from vlpbench.data.worlds.shape_scenes import ShapesConfig
from vlpbench.data.worlds.sign_scenes import SignsConfig
from vlpbench.data.worlds.telling import Teller
from vlpbench.data.worlds.whole_folder import MANIFEST, dump, manifest_of, write_folder
from vlpbench.data.worlds.words import Lexicon
from vlpbench.files import digest
from vlpbench.streams import generator
from vlpbench.types import Sample

__all__ = ["DigitsTexts", "DigitsTextsConfig", "ShapesTexts", "ShapesTextsConfig",
           "SignsTexts", "SignsTextsConfig", "WorldTexts"]

_RANGES: Mapping[str, tuple[int, int]] = {
    "train": (1, 1_000_000), "val": (1, 1_000_000), "words": (12, 64), "seed": (0, 2**31 - 1),
}

_OWN = ("train", "val", "words", "seed")
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
    return {one.name: getattr(config, one.name) for one in dataclasses.fields(config) if one.name not in _OWN}


class WorldTexts(Made):
    """Captions, statements, questions with answers, each about one imagined scene; written once as plain text.

    Samples have one caption, no image, no question and no fields. Both splits are drawn alike, each text from a stream
    of its own, so a short text may stand in both: without any in common, validation texts would be longer.
    """

    @abstractmethod
    def lexicon(self) -> Lexicon:
        """The words that are spoken."""

    @property
    def images(self) -> Path:
        """The folder of the corpus; there are no pictures in it."""
        return self.folder

    def splits(self) -> tuple[str, ...]:
        """Two: texts are not tested on."""
        return ("train", "val")

    def fingerprint(self) -> str:
        """A hash of the words, the numbers and the seed; nothing has to be written to know it."""
        own = {name: getattr(self.config, name) for name in _OWN}
        words = dataclasses.asdict(self.lexicon())
        return digest({"name": self.name, "version": self.version, "config": own, "lexicon": words})

    def write(self, heard: Heard | None) -> None:
        """Write train.txt and val.txt, one text a line; `heard(done, of)` counts texts."""
        write_folder(self.folder, self.fingerprint(), lambda beside: self._fill(beside, heard), f"{self.name!r}")

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """The texts, each under the number of its line."""
        files = {name: f"{name}.txt" for name in self.splits()}
        return Text(TextConfig(self.folder.name, files), self.folder.parent, self.cache).read(split)

    def describe(self) -> Mapping[str, str]:
        """Sizes and contents, for `vlpbench data list`."""
        c = self.config
        return {
            "kind": self.name,
            "splits": f"train {c.train}, val {c.val}",
            "texts": f"captions, statements, questions with answers of imagined scenes, at most {c.words} words",
            "source": "made; written once, no download",
        }

    def _fill(self, folder: Path, heard: Heard | None) -> None:
        """All files of the corpus, the manifest last."""
        teller, c = Teller(self.lexicon(), self.config.words), self.config
        for split, number, before in (("train", c.train, 0), ("val", c.val, c.train)):
            texts = []
            for i in range(number):
                texts.append(teller.tell(generator(c.seed, f"texts/{split}", i)))
                if heard is not None and ((i + 1) % 1_000 == 0 or before + i + 1 == c.train + c.val):
                    heard(before + i + 1, c.train + c.val)
            (folder / f"{split}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
        files = manifest_of(folder, "*.txt")
        dump(folder / MANIFEST, {"world": self.name, "fingerprint": self.fingerprint(), "files": files})


class DigitsTexts(WorldTexts):
    """Texts in the words of `digits` without pictures: captions, statements, questions with answers."""

    name: ClassVar[str] = "digits-texts"
    config_class: ClassVar[type] = DigitsTextsConfig
    config: DigitsTextsConfig

    def lexicon(self) -> Lexicon:
        """Digits, colours, places."""
        return self.config.lexicon()


class ShapesTexts(WorldTexts):
    """Texts in the words of `shapes` without pictures: captions, statements, questions with answers."""

    name: ClassVar[str] = "shapes-texts"
    config_class: ClassVar[type] = ShapesTextsConfig
    config: ShapesTextsConfig

    def lexicon(self) -> Lexicon:
        """Shapes, colours, sizes, places and relations."""
        return self.config.lexicon()


class SignsTexts(WorldTexts):
    """Texts in the words of `signs` without pictures; they say what is round, odd or warm, as captions never do."""

    name: ClassVar[str] = "signs-texts"
    config_class: ClassVar[type] = SignsTextsConfig
    config: SignsTextsConfig

    def lexicon(self) -> Lexicon:
        """Shapes, digits, colours, sizes, places, relations, and sorts of them."""
        return self.config.lexicon()
