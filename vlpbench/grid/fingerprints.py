"""What is in the files that cells read: of each data set a fingerprint, of initial weights the hash of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vlpbench.config.merge import portion_of
from vlpbench.config.problems import Report
from vlpbench.config.settings import CellSettings, Init, Portion
from vlpbench.config.sums import names_of
from vlpbench.config.typed import fields_of, make
from vlpbench.contract.dataset import Dataset
from vlpbench.data.initial_files import initial_files
from vlpbench.data.shared_files import refuse_shared_files
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
        self._splits: dict[str, tuple[str, ...]] = {}
        self._init: dict[Init, Mapping[str, str]] = {}
        self._compared: set[str] = set()

    def read(self, cells: Iterable[tuple[CellSettings, Placed]]) -> None:
        """Read all files of these cells, each with where its grid says what."""
        for cell, placed in cells:
            self.of(cell, placed)
            self._refuse_untested(cell, placed)
            self._refuse_test_files(cell, placed)

    def _refuse_untested(self, cell: CellSettings, placed: Placed) -> None:
        """Report each data set that lacks a split which a task is learnt or scored on."""
        for task in cell.tasks:
            name = cell.protocol[task].data
            there = self._splits_of(cell.sources[name])
            lacking = [split for split in ("train", cell.split) if split not in (there or (split,))]
            if lacking:
                key = "data" if name in names_of(cell.data, "data set") else f"protocol.{task}.data"
                what = f"{name!r} has no split {lacking[0]!r}, which {task} needs; it has {', '.join(there)}"
                self.report.add(placed(key), what, f"name a set with one in [protocol.{task.partition('@')[0]}] data")

    def _refuse_test_files(self, cell: CellSettings, placed: Placed) -> None:
        """Report a file that gives a test split and, under another name, something to learn from."""
        tested = {protocol.data for protocol in cell.protocol.values()} if cell.split == "test" else set()
        key = str((cell.sources, sorted(tested)))
        if key in self._compared or not all(self._sources[str(source)] for source in cell.sources.values()):
            return
        self._compared.add(key)
        sets = {name: open_source(source, self.registry, self.opener) for name, source in cell.sources.items()}
        try:
            refuse_shared_files(sets, {name: sets[name] for name in tested})
        except UserError as wrong:
            self.report.add(placed("data"), (f"{wrong.place}: " if wrong.place else "") + wrong.cause, wrong.remedy)

    def _splits_of(self, source: Mapping[str, Any]) -> tuple[str, ...]:
        """The splits of a data set; none where it cannot be read, which has been reported."""
        key = str(source)
        if key not in self._splits:
            self._splits[key] = open_source(source, self.registry, self.opener).splits() if self._sources[key] else ()
        return self._splits[key]

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
