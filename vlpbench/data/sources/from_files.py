"""What the readers of files have in common: where a set lies, which splits it has, a limit, a fingerprint."""

from __future__ import annotations

import functools
import itertools
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.errors import DataError
from vlpbench.data.fingerprint import fingerprint
from vlpbench.data.sources.pictures import Pictures
from vlpbench.errors import nearest
from vlpbench.types import Sample

__all__ = ["SPLITS", "FromFiles"]

SPLITS = ("train", "val", "test")
"""The names a split can have."""


class FromFiles(Dataset):
    """A set whose files the user has: `config` has `folder`, `images` and `limit`; a reader says the rest."""

    def __init__(self, config: Any, root: Path, cache: Path) -> None:
        super().__init__(config, root, cache)
        for key in ("folder", "images"):
            self._checked(key, getattr(config, key))

    @property
    def folder(self) -> Path:
        """The folder of the set."""
        return self.root / str(self.config.folder)

    @property
    def images(self) -> Path:
        """The folder that image names are relative to."""
        return self.folder / str(self.config.images)

    @functools.cached_property
    def pictures(self) -> Pictures:
        """The image folder, listed once."""
        return Pictures(self.images)

    @abstractmethod
    def files(self) -> Mapping[str, Path]:
        """The annotation files by what they are for, the split last ("captions train")."""

    def files_of(self, split: str) -> Sequence[Path]:
        """Those of `files` that are for a split; a file of all splits says itself which sample is whose."""
        return [path for role, path in self.files().items() if role.split()[-1] == split]

    @abstractmethod
    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """All samples of a split that exists; `read` checks the name and cuts at the limit."""

    def read(self, split: str) -> Iterator[Sample | BadSample]:
        """The samples of a split, at most `limit` of them; DataError if there is no such split."""
        known = self.splits()
        if split not in known:
            near = nearest(split, known)
            guess = f"did you mean {near!r}? " if near else ""
            raise DataError(f"there is no split {split!r}", str(self.folder), f"{guess}known: {', '.join(known)}")
        return _limited(self._samples(split), self.config.limit)

    def fingerprint(self) -> str:
        """A hash of the annotation files and of every image that a sample names (stamped, so fast when repeated).

        It looks at all splits, sealed or not, and gives away nothing but the hash.
        """
        limit = self.config.limit
        given = itertools.chain.from_iterable(_limited(self._samples(split), limit) for split in self.splits())
        names = {sample.image for sample in given if isinstance(sample, Sample) and sample.image}
        facts = {"kind": self.name, "version": self.version, "limit": limit}
        return fingerprint(facts, self.files(), self.images, names, self.cache)

    def describe(self) -> Mapping[str, str]:
        """A few facts for `vlpbench data list`."""
        return {"kind": self.name, "folder": str(self.folder)}

    def file(self, key: str, split: str = "") -> Path:
        """The path that a setting names: a file name, or one a split."""
        named = getattr(self.config, key)
        return self.folder / str(named[split] if split else named)

    def by_split(self, key: str, needed: bool = False) -> tuple[str, ...]:
        """The splits that a setting of the form split -> file names; DataError for what is no split's name."""
        named: Mapping[str, str] = getattr(self.config, key)
        if needed and not named:
            raise DataError(f"no {key} files are named", f"data kind {self.name!r}: {key}",
                            f'give one a split: {key} = {{ train = "...", val = "...", test = "..." }}')
        for split, name in named.items():
            if split not in SPLITS:
                near = nearest(split, SPLITS)
                guess = f"did you mean {near!r}? " if near else ""
                raise DataError(f"{split!r} is not the name of a split", f"data kind {self.name!r}: {key}",
                                f"{guess}known: {', '.join(SPLITS)}")
            self._checked(f"{key}.{split}", name, needed=True)
        return tuple(split for split in SPLITS if split in named)

    def _checked(self, key: str, name: str, needed: bool = False) -> None:
        """Refuse a setting that names no place below its folder. Links are the user's own affair here."""
        path = PurePosixPath(name)
        if path.is_absolute() or Path(name).is_absolute() or ".." in path.parts or (needed and not name):
            raise DataError(f"{name!r} is not a name below the folder of the data", f"data kind {self.name!r}: {key}",
                            f"give it relative to {self.root}, and set VLPBENCH_DATA to the folder of all sets")


def _limited(given: Iterable[Sample | BadSample], limit: int) -> Iterator[Sample | BadSample]:
    """All of `given` up to the `limit`-th good sample; 0 is no limit."""
    good = 0
    for sample in given:
        yield sample
        good += isinstance(sample, Sample)
        if limit and good >= limit:
            return
