"""What all built-in worlds share: written once in the formats of real sets, then read by the reader of real sets."""

from __future__ import annotations

import dataclasses
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

from vlpbench.contract.dataset import BadSample
from vlpbench.data.sources.vqa import Vqa, VqaConfig
from vlpbench.data.worlds.fields import SceneFields, scene_fields
from vlpbench.data.worlds.made import Heard, Made
from vlpbench.data.worlds.planning import SPLITS, scenes_of
from vlpbench.data.worlds.words import Lexicon
from vlpbench.data.worlds.writing import Plan, write
from vlpbench.types import Sample

__all__ = ["Scenes", "World"]


class Scenes(Protocol):
    """What a world's module of scenes has; each world has knobs of its own."""

    def fingerprint(self, config: Any, name: str, version: int) -> str:
        """SHA-256 (hex) of all that decides the world."""

    def lexicon(self, config: Any) -> Lexicon:
        """The words of a world with these knobs."""

    def plan(self, config: Any, name: str, version: int) -> Plan:
        """Scenes, words and brush."""


class World(Made):
    """Scenes that are drawn, described and asked about; its config has `size`, `seed` and the lengths of the splits.

    Samples carry these fields:

    oracle       the plain caption
    rewrites     two other true wordings of the captions, made by templates
    label        the picture's class: the kind of the thing that is met first when cells are read row by row, each row
                 from the left ("3", "circle"). Kinds are drawn alike and apart from places: all classes are as frequent
    labels       for each thing its words by attribute
    boxes        for each thing x, y, width, height in pixels
    relations    (i, relation, j) for every two things: thing i is left of, right of, above or below thing j
    box_array    most, 4: each box in shares of the picture (0 to 1), zeros where there is no thing
    box_mask     most: whether there is a thing
    label_array  most, attributes: numbers of the values, attributes by alphabet; -1 where there is no thing

    Things stand in one order in all of them; `most` is the world's largest number of things. The last three are nested
    tuples of plain numbers (samples stay comparable); as arrays they are float, bool and int64, all of one shape.
    """

    source: ClassVar[str]
    """Where its pictures come from."""
    scenes: ClassVar[Scenes]
    """What its scenes look like and how they are talked about: a module."""

    @abstractmethod
    def contents(self) -> str:
        """What a picture shows, for `vlpbench data list`."""

    def fingerprint(self) -> str:
        """A hash of the knobs, the version and pixels from elsewhere; the world need not be written."""
        return self.scenes.fingerprint(self.config, self.name, self.version)

    def lexicon(self) -> Lexicon:
        """The words of the world."""
        return self.scenes.lexicon(self.config)

    def plan(self) -> Plan:
        """All that decides the world's files: scenes, words and brush."""
        return self.scenes.plan(self.config, self.name, self.version)

    @property
    def images(self) -> Path:
        """The folder of the PNG files."""
        return self.folder / "images"

    def splits(self) -> tuple[str, ...]:
        """All three."""
        return SPLITS

    def describe(self) -> Mapping[str, str]:
        """Sizes and contents, for `vlpbench data list`."""
        c = self.config
        return {
            "kind": self.name,
            "pictures": f"{c.size} x {c.size}, {self.contents()}",
            "splits": ", ".join(f"{split} {number}" for split, number in scenes_of(c).items()),
            "texts": f"5 captions and up to {c.questions} questions an image, 10 answers a question",
            "label": f"kind of the first {self.lexicon().noun} in reading order",
            "source": f"{self.source}; written once, no download",
        }

    def write(self, heard: Heard | None) -> None:
        """Write pictures and texts; `heard(done, of)` counts images."""
        write(self.folder, self.plan(), heard)

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """Images with captions, questions and fields."""
        known = json.loads((self.folder / f"scenes_{split}.json").read_text(encoding="utf-8"))
        lexicon = self.lexicon()
        for sample in self._reader().read(split):
            if isinstance(sample, Sample):
                make = partial(
                    scene_fields, sample, known[str(sample.id)], lexicon, self.config.size, self.config.seed
                )
                sample = dataclasses.replace(sample, fields=SceneFields(make))
            yield sample

    def _reader(self) -> Vqa:
        """The reader of real files, pointed at the world's folder."""
        questions, annotations, captions = (
            {split: f"{form}_{split}.json" for split in self.splits()}
            for form in ("questions", "annotations", "captions")
        )
        config = VqaConfig(self.folder.name, "images", questions, annotations, captions)
        return Vqa(config, root=self.folder.parent, cache=self.cache)
