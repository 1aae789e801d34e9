"""Corpora of texts without pictures that speak a world's language (SimVLM's text-only arm, arXiv 2108.10904)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from vlpbench.contract.dataset import BadSample
from vlpbench.data.sources.text import Text, TextConfig
from vlpbench.data.worlds.made import Heard, Made
from vlpbench.data.worlds.telling import Teller
from vlpbench.data.worlds.text_knobs import OWN, DigitsTextsConfig, ShapesTextsConfig, SignsTextsConfig
from vlpbench.data.worlds.whole_folder import MANIFEST, dump, manifest_of, write_folder
from vlpbench.data.worlds.words import Lexicon
from vlpbench.files import digest
from vlpbench.streams import generator
from vlpbench.types import Sample

__all__ = ["DigitsTexts", "DigitsTextsConfig", "ShapesTexts", "ShapesTextsConfig",
           "SignsTexts", "SignsTextsConfig", "WorldTexts"]


class WorldTexts(Made):
    """Captions, statements, questions with answers, each about one imagined scene; written once as plain text.

    Where the world's words are put into sorts, some texts are about the words alone: "each 3 is odd".

    Samples have one caption, no image, no question and no fields. Both splits are drawn alike, each text from a stream
    of its own, so a short text may stand in both: without any in common, validation texts would be longer.
    """

    config: DigitsTextsConfig | ShapesTextsConfig | SignsTextsConfig

    def lexicon(self) -> Lexicon:
        """The words that are spoken: those of the world that the corpus belongs to."""
        return self.config.lexicon()

    @property
    def images(self) -> Path:
        """The folder of the corpus; there are no pictures in it."""
        return self.folder

    def splits(self) -> tuple[str, ...]:
        """Two: texts are not tested on."""
        return ("train", "val")

    def fingerprint(self) -> str:
        """A hash of the words, the numbers and the seed; nothing has to be written to know it."""
        own = {name: getattr(self.config, name) for name in OWN}
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


class ShapesTexts(WorldTexts):
    """Texts in the words of `shapes` without pictures: captions, statements, questions with answers."""

    name: ClassVar[str] = "shapes-texts"
    config_class: ClassVar[type] = ShapesTextsConfig


class SignsTexts(WorldTexts):
    """Texts in the words of `signs` without pictures; they also say what is round, odd or warm: captions never do."""

    name: ClassVar[str] = "signs-texts"
    config_class: ClassVar[type] = SignsTextsConfig
