"""What is in the files that cells read: of each data set a fingerprint, of initial weights the hash of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vlpbench.config.merge import portion_of
from vlpbench.config.problems import Report
from vlpbench.config.settings import CellSettings, Init, Portion
from vlpbench.config.typed import fields_of, make
from vlpbench.contract.dataset import Dataset
from vlpbench.data.initial_files import initial_files
from vlpbench.data.weakened import weakened
from vlpbench.errors import UserError
from vlpbench.files import digest, digest_file
from vlpbench.registry import Registry

__all__ = ["Fingerprints", "Opener", "Placed", "open_source"]

Opener = Callable[[type[Dataset], Any], Dataset]
"""Makes a data set from its class and config: whoever calls knows the folders."""

Placed = Callable[[str], tuple[str | int, ...]]
"""Where a cell's grid file says a dotted key."""


def open_source(source: Mapping[str, Any], registry: Registry, opener: Opener) -> Dataset:
    """The data set that a cell's settings describe under `sources`, cut and spoilt as they say."""
    values = {key: value for key, value in source.items() if key not in fields_of(Portion)}
    cls = registry.dataset(values.pop("kind"))
    return weakened(opener(cls, make(cls.config_class, values)), portion_of(source))


class Fingerprints:
    """Reads the files of many cells, each once; what is missing goes into the report."""

    def __init__(self, registry: Registry, opener: Opener, report: Report) -> None:
        self.registry, self.opener, self.report = registry, opener, report
        self._sources: dict[str, str] = {}
        self._init: dict[Init, Mapping[str, str]] = {}

    def read(self, cells: Iterable[tuple[CellSettings, Placed]]) -> None:
        """Read all files of these cells, each with where its grid says what."""
        for cell, placed in cells:
            self.of(cell, placed)

    def of(self, cell: CellSettings, placed: Placed = lambda key: tuple(key.split("."))) -> dict[str, str]:
        """By name of the data set; those of initial weights as "init.checkpoint", "init.stem", "init.text"."""
        found = {name: self._source(source, placed(f"data.{name}")) for name, source in cell.sources.items()}
        return {**found, **self._initial(cell.init, placed)}

    def _source(self, source: Mapping[str, Any], path: tuple[str | int, ...]) -> str:
        key = str(source)
        if key not in self._sources:
            self._sources[key] = ""
            try:
                self._sources[key] = open_source(source, self.registry, self.opener).fingerprint()
            except UserError as wrong:
                self.report.add(path, (f"{wrong.place}: " if wrong.place else "") + wrong.cause, wrong.remedy)
        return self._sources[key]

    def _initial(self, init: Init, placed: Placed) -> Mapping[str, str]:
        if init not in self._init:
            self._init[init] = {}
            try:
                files = initial_files(init)
            except UserError as wrong:
                self.report.add(placed(wrong.place), wrong.cause, wrong.remedy)
            else:
                self._init[init] = {
                    f"init.{key}": digest([digest_file(path) for path in paths]) for key, paths in files.items()
                }
        return self._init[init]
