"""A data set that is made, not found: written to the cache when it is first needed, in a folder for its settings."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.worlds.whole_folder import complete
from vlpbench.errors import unknown
from vlpbench.types import Sample

__all__ = ["Heard", "Made"]

Heard = Callable[[int, int], None]
"""Told of progress: how many are done, of how many."""


class Made(Dataset):
    """Its folder is written whole or not at all, once; its settings alone decide what is in it."""

    def __init__(self, config: Any, root: Path, cache: Path) -> None:
        """`root` is not used: nothing of the user's is needed."""
        super().__init__(config, root, cache)
        self._written = False

    @abstractmethod
    def write(self, heard: Heard | None) -> None:
        """Write `folder`."""

    @abstractmethod
    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """The samples of a split that exists, from the written folder."""

    @functools.cached_property
    def folder(self) -> Path:
        """Where it is or will be: one folder for each setting of the knobs."""
        return self.cache / "worlds" / f"{self.name}-{self.version}-{self.fingerprint()[:16]}"

    def prepare(self, heard: Heard | None = None) -> None:
        """Write the folder unless it is there; `heard(done, of)` counts. Raises UserError if the disk refuses."""
        if not self._written and not complete(self.folder, self.fingerprint()):
            self.write(heard)
        self._written = True

    def read(self, split: str) -> Iterator[Sample | BadSample]:
        """The samples of a split in the order of their ids; the folder is written first where it is missing."""
        if split not in self.splits():
            raise unknown("split", split, self.splits(), f"data set {self.name!r}")
        self.prepare()
        yield from self._samples(split)
