"""Karpathy's splits: one JSON file in which each image names its split and carries its sentences."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.sources.from_files import SPLITS, FromFiles
from vlpbench.data.sources.json_file import read_json, rows, text_problem, unique_rows, whole_number
from vlpbench.types import Sample

__all__ = ["Karpathy", "KarpathyConfig"]

RESTVAL = "restval"
"""The rest of COCO's validation images, which most papers add to training."""


@dataclass(frozen=True)
class KarpathyConfig:
    """`[data.NAME]` with `kind = "karpathy"`."""

    folder: str = ""
    """Folder of the set, relative to `data.root`."""
    images: str = "images"
    """Folder of the pictures, relative to `folder`."""
    file: str = ""
    """The file of all splits, relative to `folder` ("dataset_coco.json")."""
    restval: bool = False
    """Whether images of the split "restval" join "train" (they are left out otherwise)."""
    filepath: str = "filepath"
    """Key of the sub-folder of an image, for rows that have it (COCO's do); empty ignores it."""
    id: str = "imgid"
    """Key of the image id: "imgid", or "cocoid" to have COCO's own ids."""
    limit: int = 0
    """Most samples of a split, the first ones of the file; 0 takes all."""


class Karpathy(FromFiles):
    """Images with captions, in the form of Karpathy and Fei-Fei's splits (arXiv 1412.2306)."""

    name: ClassVar[str] = "karpathy"
    cites: ClassVar[tuple[str, ...]] = ("karpathy2015splits",)
    config_class: ClassVar[type] = KarpathyConfig

    def splits(self) -> tuple[str, ...]:
        """The splits that occur in the file."""
        images, _ = self._read
        found = {self._split(row) for row in images.values()}
        return tuple(split for split in SPLITS if split in found)

    def files(self) -> Mapping[str, Path]:
        """The one file."""
        if not self.config.file:
            raise DataError("no file is named", f"data kind {self.name!r}: file", 'give file = "dataset_NAME.json"')
        self._checked("file", self.config.file)
        return {"splits": self.file("file")}

    @functools.cached_property
    def _read(self) -> tuple[dict[int, Mapping[str, Any]], list[BadSample]]:
        """Image rows by id, and rows without a usable id or split, which may belong to any split."""
        path = self.files()["splits"]
        images, problems = unique_rows(rows(read_json(path), "images", path), "image", self.config.id, path)
        for number, row in images.items():
            if row.get("split") not in (*SPLITS, RESTVAL):
                known = ", ".join((*SPLITS, RESTVAL))
                wrong = f"split {row.get('split')!r} is none of {known}"
                problems.append(BadSample(f"{path.name}: image {number}", wrong))
        return images, problems

    def _split(self, row: Mapping[str, Any]) -> Any:
        named = row.get("split")
        return "train" if named == RESTVAL and self.config.restval else named

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """Images in the order of the file; rows that cannot be told to a split are named in every split."""
        images, problems = self._read
        taken: set[int] = set()
        for number, row in images.items():
            if self._split(row) == split:
                yield from self._sample(number, row, taken)
        yield from problems

    def _sample(self, number: int, row: Mapping[str, Any], taken: set[int]) -> Iterator[Sample | BadSample]:
        where = f"{Path(self.config.file).name}: image {number}"
        name = row.get("filename")
        below = row.get(self.config.filepath, "") if self.config.filepath else ""
        if isinstance(below, str) and isinstance(name, str) and below and name:
            name = f"{below}/{name}"
        sentences = row.get("sentences")
        wrong = self.pictures.problem(name)
        if wrong is None and not isinstance(sentences, list):
            wrong = "has no list of 'sentences'"
        if wrong:
            yield BadSample(where, wrong)
            return
        texts = []
        for at, sentence in enumerate(sentences or ()):
            problem = _sentence_problem(sentence, taken)
            if problem:
                yield BadSample(f"{where}, sentence number {at + 1}", problem)
            else:
                texts.append(sentence["raw"])
        yield Sample(number, str(name), tuple(texts)) if texts else BadSample(where, "has no caption")


def _sentence_problem(sentence: Any, taken: set[int]) -> str | None:
    """What is wrong with a sentence, or None; its id, if it has one, is added to those taken."""
    if not isinstance(sentence, dict):
        return "is not an object"
    number = whole_number(sentence.get("sentid"))
    if number is not None and number in taken:
        return f"'sentid' {number} is there twice; the first was kept"
    if number is not None:
        taken.add(number)
    return text_problem(sentence.get("raw"), "caption")
