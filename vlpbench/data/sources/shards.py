"""Tars of samples, as webdataset writes them: KEY.jpg with KEY.txt or KEY.json, read from where they lie.

Nothing is unpacked and no image store is built, so a set may be larger than what is free on the disk.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from vlpbench.contract.dataset import Archive, BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.shard_archive import ShardArchive
from vlpbench.data.sources.from_files import FromFiles
from vlpbench.data.sources.pictures import id_of
from vlpbench.data.sources.shard_names import shard_names
from vlpbench.data.tar_index import Keys, TarIndex, tar_index
from vlpbench.data.undecoded import cores
from vlpbench.files import digest
from vlpbench.types import Sample

__all__ = ["Shards", "ShardsConfig"]

_AT_ONCE = 4
"""Tars that are looked through at a time: more would have a disk jump between them."""


@dataclass(frozen=True)
class ShardsConfig:
    """`[data.NAME]` with `kind = "shards"`."""

    folder: str = ""
    """Folder of the set, relative to `data.root`."""
    shards: Mapping[str, str] = field(default_factory=dict)
    """Tars of each split, relative to `folder`: a name with ranges {000000..000041}, lists {a,b}, or * and ?."""
    captions: str = ""
    """Key of KEY.json whose value is a caption or a list of them, beside the one in KEY.txt; empty: there is none."""
    label: str = ""
    """Key of KEY.json whose value is the picture's class, for probes and zero-shot classification; empty: none."""
    window: int = 8
    """Tars that training reads at a time, their samples mixed, before it goes on to others; 0 mixes all of them."""
    limit: int = 0
    """Most samples of a split, the first ones of its tars; 0 takes all."""
    images: ClassVar[str] = ""
    """No setting: pictures lie in the tars."""


class Shards(FromFiles):
    """Images with captions, classes or both, in tars of any number and size (webdataset's form)."""

    name: ClassVar[str] = "shards"
    config_class: ClassVar[type] = ShardsConfig

    def splits(self) -> tuple[str, ...]:
        """The splits that `shards` names tars for."""
        if self.config.window < 0:
            raise DataError(f"{self.config.window} tars cannot be read at a time", "data kind 'shards': window",
                            "give a number of tars, or 0 to mix all of them")
        return self.by_split("shards", needed=True)

    def files(self) -> Mapping[str, Path]:
        """The tars."""
        return {f"shard {at} {split}": self.folder / name
                for split in self.splits() for at, name in enumerate(self.tars(split))}

    @functools.cached_property
    def tars(self) -> Callable[[str], list[str]]:
        """Of a split its tars, relative to the folder; DataError where a pattern names none."""
        named, place = self.config.shards, f"data kind {self.name!r}: shards"
        return functools.cache(lambda split: shard_names(self.folder, named[split], f"{place}.{split}"))

    @functools.cached_property
    def index(self) -> Callable[[str], TarIndex]:
        """Of a tar what it holds; looked through once, and remembered in the cache."""
        keys = Keys(self.config.captions, self.config.label)
        return functools.cache(lambda tar: tar_index(self.folder / tar, keys, self.cache))

    @functools.cached_property
    def _archive(self) -> ShardArchive:
        names = dict.fromkeys(name for split in self.splits() for name in self.tars(split))
        return ShardArchive(self.folder, list(names), self.index, self.config.window)

    @property
    def archive(self) -> Archive:
        """The tars of all splits."""
        return self._archive

    def prepare(self, heard: Any = None) -> None:
        """Look through all tars that are not known; `heard(done, of)` is told of tars."""
        names = list(dict.fromkeys(name for split in self.splits() for name in self.tars(split)))
        with ThreadPoolExecutor(min(_AT_ONCE, cores())) as pool:
            for done, _ in enumerate(pool.map(self.index, names), start=1):
                if heard is not None:
                    heard(done, len(names))

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """Tar by tar, the samples in the order of the file, then what is wrong with others of that tar."""
        for tar in self.tars(split):
            index = self.index(tar)
            for found in index.samples:
                image = f"{tar}/{found.name}"
                fields = {"label": found.label} if self.config.label else {}
                yield Sample(id_of(image), image, found.captions, fields=fields)
            yield from (BadSample(f"{tar}: {problem.where}", problem.what) for problem in index.problems)

    def fingerprint(self) -> str:
        """A hash of the names and contents of all tars, and of the settings; a tar is read for it once."""
        self.prepare(_on_terminal())
        splits = {split: [(tar, self.index(tar).digest) for tar in self.tars(split)] for split in self.splits()}
        c = self.config
        facts = {"kind": self.name, "version": self.version, "limit": c.limit, "window": c.window, "label": c.label,
                 "captions": c.captions}
        return digest({**facts, "shards": splits})


def _on_terminal() -> Callable[[int, int], None] | None:
    """Shows how far it is on a terminal, after a second: the first look through large tars takes as long as reading."""
    if not sys.stderr.isatty():
        return None
    begun = time.monotonic()

    def heard(done: int, of: int) -> None:
        if time.monotonic() - begun > 1:
            end = "\n" if done == of else ""
            print(f"\rlooking through tars: {done}/{of}", end=end, file=sys.stderr, flush=True)  # noqa: T201

    return heard
