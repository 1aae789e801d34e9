"""Folders of classes, as ImageNet comes: the picture `train/cat/1.jpg` is in the split "train", of the class "cat"."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.fingerprint import fingerprint
from vlpbench.data.sources.from_files import SPLITS, FromFiles
from vlpbench.data.sources.json_file import missing
from vlpbench.data.sources.pictures import id_of
from vlpbench.types import Sample

__all__ = ["ClassFolders", "ClassFoldersConfig"]

_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm")
"""How the names of pictures end, in small or capital letters; other files are no part of the set."""


@dataclass(frozen=True)
class ClassFoldersConfig:
    """`[data.NAME]` with `kind = "folders"`."""

    folder: str = ""
    """Folder of the set, relative to `data.root`."""
    splits: Mapping[str, str] = field(default_factory=dict)
    """Folder of each split, relative to `folder`, with a folder a class in it; empty: those of "train", "val" and
    "test" that are there."""
    classes: Mapping[str, str] = field(default_factory=dict)
    """What a class is called ("tench"), by the name of its folder ("n01440764"); others are called as their folder."""
    limit: int = 0
    """Most samples of a split, of each class about as many; 0 takes all."""
    images: ClassVar[str] = ""
    """No setting: pictures are named from the folder of the set."""


class ClassFolders(FromFiles):
    """Images with a class, `label`, and no texts, from one folder a split and one a class."""

    name: ClassVar[str] = "folders"
    config_class: ClassVar[type] = ClassFoldersConfig

    def splits(self) -> tuple[str, ...]:
        """The splits that `splits` names a folder for, or whose folders are there; DataError if none is."""
        if self.config.splits:
            return self.by_split("splits")
        found = tuple(split for split in SPLITS if (self.folder / split).is_dir())
        if not found:
            raise missing(self.folder / SPLITS[0])
        return found

    def files(self) -> Mapping[str, Path]:
        """None: the folders say it all."""
        return {}

    def files_of(self, split: str) -> Sequence[Path]:
        """The folder of a split: that of test is no other's."""
        return [self.folder / self._below(split)] if split in self.splits() else []

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """Pictures by name, a picture of each class in turn, so that a limit leaves classes as even as they are."""
        below = self._below(split)
        left = {kind: iter(_names(self.folder / below / kind)) for kind in self._classes(below)}
        while left:
            for kind in list(left):
                name = next(left[kind], None)
                if name is None:
                    del left[kind]
                else:
                    yield self._sample(f"{below}/{kind}/{name}", kind)

    def _sample(self, name: str, kind: str) -> Sample | BadSample:
        path = self.images / name
        wrong = self.pictures.problem(name) if path.is_symlink() or not path.is_file() else None
        if wrong:
            return BadSample(name, wrong)
        return Sample(id_of(name), name, fields={"label": self.config.classes.get(kind, kind)})

    def fingerprint(self) -> str:
        """A hash of the names and contents of all pictures, of what classes are called, and of the limit."""
        splits = {split: self._below(split) for split in self.splits()}
        facts = {"kind": self.name, "version": self.version, "limit": self.config.limit, "splits": splits,
                 "classes": dict(self.config.classes)}
        names = [
            f"{below}/{kind}/{name}" for below in splits.values() for kind in self._classes(below)
            for name in _names(self.folder / below / kind)
        ]
        return fingerprint(facts, {}, self.images, names, self.cache)

    def _below(self, split: str) -> str:
        named: str = self.config.splits[split] if self.config.splits else split
        return named.rstrip("/")

    def _classes(self, below: str) -> list[str]:
        """The folders of a split by name; DataError where there are none."""
        found = [entry.name for entry in _listed(self.folder / below) if entry.is_dir()]
        if not found:
            raise DataError(f"{below!r} has no folders of classes", str(self.folder / below),
                            "put the pictures of each class into a folder called as the class")
        return sorted(found)


def _names(folder: Path) -> list[str]:
    """The pictures of a folder by name."""
    return sorted(entry.name for entry in _listed(folder) if entry.name.lower().endswith(_ENDINGS))


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder and not hidden; DataError with the nearest name if there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        raise missing(folder) from None
