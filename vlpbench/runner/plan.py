"""What a run of a grid would do: each cell's fate, and what must be said before."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vlpbench.config.gridfile import GridFile
from vlpbench.grid import Cell, cells
from vlpbench.records import StageFolder
from vlpbench.registry import Registry
from vlpbench.runner.cause import PASSING
from vlpbench.runner.cell import folder_of
from vlpbench.runner.code_change import changed, sentences
from vlpbench.runner.stages import stages_of
from vlpbench.runner.task_size import refuse_sizes
from vlpbench.runner.workbench import opened_here

__all__ = ["Fate", "OnCodeChange", "Plan", "plan_grid"]

Fate = Literal["run", "done", "failed", "skip", "left"]

OnCodeChange = Literal["warn", "rerun", "ignore"]
"""What a changed code under the same version does: a warning, its cells and stages run again, or nothing."""


@dataclass(frozen=True)
class Plan:
    """What a run would do."""

    grid: GridFile
    """The grid."""
    results: Path
    """The grid's own folder under the results."""
    cells: Sequence[Cell]
    """All of its cells."""
    fates: Mapping[str, Fate]
    """Cell id -> run it; done already; failed before (and not asked to retry); cannot be run; left for
    another time."""
    warnings: Sequence[str] = ()
    """What is to be said of code that has changed."""
    outdated: Sequence[StageFolder] = field(default=(), repr=False)
    """Stages made by code that has changed since, and that are to run again."""
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """Cell id -> the status of a record that is to be made again; one that says otherwise meanwhile is newer."""

    def chosen(self, what: Fate) -> list[Cell]:
        """The cells of one kind."""
        return [cell for cell in self.cells if self.fates[cell.id] == what]

    def only(self, wanted: Collection[str]) -> Plan:
        """The same, with nothing to be run but the cells of these ids."""
        fates: dict[str, Fate] = {
            one: "left" if what == "run" and one not in wanted else what for one, what in self.fates.items()
        }
        return dataclasses.replace(self, fates=fates)


def plan_grid(
    grid: GridFile, registry: Registry, results: Path, retry_failed: bool = False, on_code_change: OnCodeChange = "warn"
) -> Plan:
    """Look at the grid's cells and at what earlier runs have left. A damaged record counts as not there.

    A `protocol.TASK.size` that a cell's backbone cannot be brought to is a UserError.
    """
    found = cells(grid, registry, opened_here)
    refuse_sizes(found, registry)
    folder = results / grid.name
    fates: dict[str, Fate] = {cell.id: _fate(cell, folder, retry_failed) for cell in found}
    warnings: Sequence[str] = ()
    outdated: Sequence[StageFolder] = ()
    if on_code_change != "ignore" and folder.is_dir():
        changes = _Changes(found, fates, folder, registry)
        if on_code_change == "warn":
            warnings = changes.sentences()
        else:
            fates |= dict.fromkeys(changes.cells, "run")
            outdated = list(changes.stages)
    before = {cell.id: folder_of(cell, folder).status() for cell in found if fates[cell.id] == "run"}
    return Plan(grid, folder, found, fates, warnings, outdated, before)


def _fate(cell: Cell, folder: Path, retry_failed: bool) -> Fate:
    if cell.reason is not None:
        return "skip"
    record = folder_of(cell, folder)
    state = record.state()
    if state in ("failed", "timeout") and not retry_failed and not record.status().get(PASSING):
        return "failed"
    return "done" if state == "done" else "run"


class _Changes:
    """What would be reused although its code has changed."""

    def __init__(self, found: Sequence[Cell], fates: Mapping[str, Fate], results: Path, registry: Registry) -> None:
        self.cells: dict[str, None] = {}
        self.stages: dict[StageFolder, None] = {}
        self.components: dict[str, list[str]] = {}
        self.versions: dict[str, int] = {}
        for cell in found:
            if fates[cell.id] == "done" and self._see(cell, changed(_recorded(cell, results), cell.code)):
                self.cells[cell.id] = None
            if fates[cell.id] == "run" or cell.id in self.cells:
                for stage in stages_of(cell, results, registry):
                    if stage.folder.closed and self._see(cell, changed(stage.folder.code(), stage.folder.made_by)):
                        self.stages[stage.folder] = None

    def _see(self, cell: Cell, components: Sequence[str]) -> bool:
        """Note what has changed under a cell; whether anything has."""
        for name in components:
            self.components.setdefault(name, []).append(f"cell {cell.row!r}")
            self.versions |= cell.versions
        return bool(components)

    def sentences(self) -> list[str]:
        """A warning for each component, naming its cells."""
        return sentences(self.components, self.versions)


def _recorded(cell: Cell, results: Path) -> Mapping[str, str]:
    """The code that made a finished cell's record; empty for a record of before it was kept."""
    return folder_of(cell, results).read("settings.json").get("code", {})  # type: ignore[no-any-return]
