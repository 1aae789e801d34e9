"""Pictures and captions from a file of JSON lines, one picture a line.

A line: {"image": "cat.jpg", "captions": ["a cat", "a black cat sits"], "split": "train"}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlpbench.plugin import BadSample, DataError, Dataset, Sample, hookimpl

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Config:
    """The keys of `[data.NAME]` beside `kind = "example-dataset"`."""

    folder: str = ""
    """Folder of the set, relative to `data.root`."""
    file: str = "samples.jsonl"
    """The file of JSON lines (UTF-8), relative to `folder`."""
    pictures: str = "images"
    """Folder of the pictures, relative to `folder`."""


class ExampleDataset(Dataset):
    """One sample a line. A line that cannot be used is told as a BadSample; a file that cannot, as a DataError."""

    name, config_class = "example-dataset", Config
    api_version = 1  # the plugin contract it was written for
    version = 1  # raise it whenever the same files give other samples
    config: Config

    @property
    def images(self) -> Path:
        """The folder that the names of pictures are relative to."""
        return self.root / self.config.folder / self.config.pictures

    @property
    def file(self) -> Path:
        """The file of JSON lines."""
        return self.root / self.config.folder / self.config.file

    def _lines(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The number of each line, from 1, and what it says; DataError where its split cannot be told."""
        try:
            text = self.file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError) as wrong:
            cause = f"{self.file.name} cannot be read: {wrong}"
            raise DataError(cause, str(self.file), "give a file of JSON lines in UTF-8") from wrong
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                place = f"{self.file}, line {number}"
                try:
                    row = json.loads(line)
                except ValueError as wrong:
                    raise DataError(f"{self.file.name} has a line that is no JSON: {wrong}", place) from wrong
                if not isinstance(row, dict) or row.get("split") not in SPLITS:
                    cause = f"{self.file.name} has a line that names no split"
                    raise DataError(cause, place, f'write "split": and one of {", ".join(SPLITS)}')
                yield number, row

    def _rows(self) -> Iterator[tuple[int, Mapping[str, Any], str]]:
        """The same, and what is wrong with the line; empty if nothing is."""
        first: dict[str, int] = {}
        for number, row in self._lines():
            wrong = self._problem(row)
            if not wrong and first.setdefault(row["image"], number) != number:
                wrong = f"names image {row['image']!r} again, which line {first[row['image']]} has"
            yield number, row, wrong

    def _problem(self, row: Mapping[str, Any]) -> str:
        image, captions = row.get("image"), row.get("captions")
        if not isinstance(image, str) or not image or "\0" in image:
            return "names no image"
        path = (self.images / image).resolve()
        if not path.is_relative_to(self.images.resolve()) or not path.is_file():
            return f"image {image!r} is no file in {self.images}"
        if not isinstance(captions, list) or not captions:
            return "has no list of captions"
        if not all(isinstance(text, str) and text.strip() for text in captions):
            return "has a caption that is empty or no text"
        return ""

    def splits(self) -> tuple[str, ...]:
        """The splits that lines name."""
        found = {row["split"] for _, row in self._lines()}
        return tuple(split for split in SPLITS if split in found)

    def read(self, split: str) -> Iterator[Sample | BadSample]:
        """The samples of a split in the file's order; a picture's id is the number of its line."""
        if split not in self.splits():
            raise DataError(f"there is no split {split!r}", str(self.file), f"known: {', '.join(self.splits())}")
        for number, row, wrong in self._rows():
            if row["split"] == split:
                if wrong:
                    yield BadSample(f"{self.file.name}: line {number}", wrong)
                else:
                    yield Sample(number, row["image"], tuple(" ".join(text.split()) for text in row["captions"]))

    def fingerprint(self) -> str:
        """A hash of all that decides the samples: the lines, and the bytes of each picture they name."""
        state = hashlib.sha256(f"{self.name} {self.version}".encode())
        for number, row, wrong in self._rows():
            state.update(f"\n{number} {json.dumps(row, sort_keys=True)} ".encode())
            if not wrong:
                state.update(hashlib.sha256((self.images / row["image"]).read_bytes()).digest())
        return state.hexdigest()


@hookimpl
def vlpbench_datasets() -> Sequence[type[Dataset]]:
    """What this plugin brings."""
    return [ExampleDataset]
