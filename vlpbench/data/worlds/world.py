"""What all built-in worlds share: written once in the formats of real sets, then read by the reader of real sets."""

from __future__ import annotations

import dataclasses
import functools
import json
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.sources.vqa import Vqa, VqaConfig
from vlpbench.data.worlds.fields import scene_fields
from vlpbench.data.worlds.whole_folder import complete
from vlpbench.data.worlds.words import Lexicon
from vlpbench.data.worlds.writing import Plan, write
from vlpbench.errors import unknown
from vlpbench.types import Sample

__all__ = ["World"]

_SPLITS = ("train", "val", "test")


class World(Dataset):
    """Scenes that are drawn, described and asked about; its config has `size`, `seed` and the lengths of the splits.

    Samples carry these fields:

    oracle       the plain caption
    rewrites     two other true wordings of the captions, made by templates
    labels       for each thing its words by attribute
    boxes        for each thing x, y, width, height in pixels
    relations    (i, relation, j) for every two things: thing i is left of, right of, above or below thing j
    box_array    most, 4: each box in shares of the picture (0 to 1), zeros where there is no thing
    box_mask     most: whether there is a thing
    label_array  most, attributes: numbers of the values, attributes by alphabet; -1 where there is no thing

    Things stand in one order in all of them; `most` is the world's largest number of things. The last three are nested
    tuples of plain numbers (samples stay comparable); as arrays they are float, bool and int64, all of one shape.
    """

    def __init__(self, config: Any, root: Path, cache: Path) -> None:
        """`root` is not used: a world needs no data of the user's."""
        super().__init__(config, root, cache)
        self._written = False

    @abstractmethod
    def lexicon(self) -> Lexicon:
        """The words of the world."""

    @abstractmethod
    def plan(self) -> Plan:
        """All that decides the world's files."""

    @functools.cached_property
    def folder(self) -> Path:
        """Where this world is or will be: one folder for each setting of the knobs."""
        return self.cache / "worlds" / f"{self.name}-{self.version}-{self.fingerprint()[:16]}"

    @property
    def images(self) -> Path:
        """The folder of the PNG files."""
        return self.folder / "images"

    def splits(self) -> tuple[str, ...]:
        """All three."""
        return _SPLITS

    def prepare(self, heard: Callable[[int, int], None] | None = None) -> None:
        """Write the world unless it is there; `heard(done, of)` counts images. Raises UserError if the disk refuses."""
        if not self._written and not complete(self.folder, self.fingerprint()):
            write(self.folder, self.plan(), heard)
        self._written = True

    def read(self, split: str) -> Iterator[Sample | BadSample]:
        """The samples of a split in the order of their ids; the world is written first where it is missing."""
        if split not in self.splits():
            raise unknown("split", split, self.splits(), f"data set {self.name!r}")
        self.prepare()
        known = json.loads((self.folder / f"scenes_{split}.json").read_text(encoding="utf-8"))
        lexicon = self.lexicon()
        for sample in self._reader().read(split):
            if isinstance(sample, Sample):
                mine = scene_fields(sample, known[str(sample.id)], lexicon, self.config.size, self.config.seed)
                sample = dataclasses.replace(sample, fields={**sample.fields, **mine})
            yield sample

    def _reader(self) -> Vqa:
        """The reader of real files, pointed at the world's folder."""
        questions, annotations, captions = (
            {split: f"{form}_{split}.json" for split in self.splits()}
            for form in ("questions", "annotations", "captions")
        )
        config = VqaConfig(self.folder.name, "images", questions, annotations, captions)
        return Vqa(config, root=self.folder.parent, cache=self.cache)
