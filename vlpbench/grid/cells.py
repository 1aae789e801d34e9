"""The cells of a grid: rows x axes x seeds, minus what is excluded, plus the blind rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from vlpbench.config.gridfile import GridFile, Row
from vlpbench.config.identity import cell_id
from vlpbench.config.keys import Layer
from vlpbench.config.known import backbone_parts
from vlpbench.config.problems import Report, guess
from vlpbench.config.settings import CellSettings
from vlpbench.config.sums import parse_sum
from vlpbench.config.task_name import parse_task
from vlpbench.files import readable
from vlpbench.grid.drafts import Draft, drafts, place_of
from vlpbench.grid.fingerprints import Fingerprints, Opener
from vlpbench.grid.names import is_match
from vlpbench.grid.reasons import why_not
from vlpbench.metrics import VERSION as METRICS_VERSION
from vlpbench.registry import Registry
from vlpbench.registry.code import code_of

__all__ = ["Cell", "cells", "versions_of"]

_BLIND_TASKS = ("vqa", "captioning")


@dataclass(frozen=True)
class Cell:
    """One point of a grid, ready to be run."""

    grid: str
    """Name of the grid."""
    row: str
    """The line of the table it belongs to."""
    seed: int
    """Its seed."""
    settings: CellSettings
    """All that decides its numbers."""
    id: str
    """Twelve hexadecimal digits: equal ids, equal numbers."""
    reason: str | None = None
    """Why it cannot be run, for the table; None if it can."""
    published: Mapping[str, float] = field(default_factory=dict)
    """Published numbers of its row by `task.metric`."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """Versions that went into the id."""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Fingerprints of its data sets by name, and of initial weights as "init.checkpoint" and so on."""
    code: Mapping[str, str] = field(default_factory=dict)
    """Hashes of the code that decides its numbers, by component; not part of the id (versions are)."""

    @property
    def folder(self) -> str:
        """Name of its folder: readable first, the id behind it."""
        return f"{readable(self.row)}-s{self.seed}-{self.id}"


def cells(grid: GridFile, registry: Registry, opener: Opener) -> list[Cell]:
    """The cells in the order of rows, axes and seeds, blind ones last.

    Raises GridError with all that does not fit together. Reads the data's files for their fingerprints.
    """
    report = grid.report()
    found = list(drafts(grid, registry.known(), report))
    report.raise_any()
    _refuse_unknown_rows(grid, found, report)
    found = [one for one in found if not any(_is_match(rule, one) for rule in grid.exclude)]
    found += _blind(grid, found, registry, report)
    report.raise_any()
    prints = Fingerprints(registry, opener, report)
    prints.read((draft.settings, partial(place_of, grid, draft.source)) for draft in found)
    report.raise_any()
    made = [_cell(grid, draft, registry, prints) for draft in found]
    kept = _unique(made, [draft.source for draft in found], report)
    report.raise_any()
    return kept


def _names(found: Sequence[Draft]) -> set[str]:
    """What rows can be called by: with their place on the axes, and without."""
    return {one.row for one in found} | {one.source.name for one in found if one.source.name}


def _is_match(rule: Layer, one: Draft) -> bool:
    """Whether all that an `exclude` rule says holds; its `row` is the name with or without the place on the axes."""
    return any(is_match(rule, name, one.settings) for name in {one.row, one.source.name or one.row})


def _refuse_unknown_rows(grid: GridFile, found: Sequence[Draft], report: Report) -> None:
    """Report each `exclude` rule about a row that does not exist: it would leave out nothing."""
    names = _names(found)
    for number, rule in enumerate(grid.exclude):
        if "row" in rule and rule["row"] not in names:
            report.add(("exclude", number, "row"), f"there is no row {rule['row']!r}", guess(rule["row"], names))
    report.raise_any()


def _blind(
    grid: GridFile, found: Sequence[Draft], registry: Registry, report: Report
) -> list[Draft]:
    """The reference row again, every image of fine-tuning and evaluation blanked: what language alone gives.

    The data sets of tasks that it leaves out stay: they decide the tokenizer, and so the pretraining is shared.
    """
    names = _names(found)
    if grid.reference and grid.reference not in names:
        place = ("-S", "reference") if "reference" in grid.typed else ("reference",)
        report.add(place, f"there is no row {grid.reference!r}", guess(grid.reference, names))
    if not grid.floors:
        return []
    row = next((one.row for one in found if _is_reference(grid, one, registry)), None)
    twins = []
    for one in found:
        tasks = tuple(task for task in one.settings.tasks if _is_blind_task(task))
        if one.row == row and tasks and not one.settings.blind:
            asked = {*tasks, one.settings.tune.task}
            protocol = {task: value for task, value in one.settings.protocol.items() if task in asked}
            settings = dataclasses.replace(one.settings, blind=True, tasks=tasks, protocol=protocol)
            twins.append(Draft(f"{one.row}, blind", one.seed, settings, Row("", {})))
    return twins


def _is_blind_task(task: str) -> bool:
    name = parse_task(task)
    return name.task in _BLIND_TASKS and name.protocol == "fine-tune"


def _is_reference(grid: GridFile, draft: Draft, registry: Registry) -> bool:
    """The row that the grid names, else the first one that pretrains and can be run."""
    if grid.reference:
        return grid.reference in (draft.row, draft.source.name)
    pretrains = draft.settings.objective != "none" and not draft.settings.blind
    return pretrains and why_not(draft.settings, registry) is None


def versions_of(settings: CellSettings, registry: Registry) -> dict[str, int]:
    """The versions of all code that decides a cell's numbers and says so itself."""
    stem, trunk, _ = backbone_parts(settings.backbone)
    found = {"metrics": METRICS_VERSION, "stem": registry.stem(stem).version, "trunk": registry.trunk(trunk).version}
    for _, name in parse_sum(settings.objective):
        found[f"objective {name}"] = registry.objective(name).version
    for source in settings.sources.values():
        found[f"data {source['kind']}"] = registry.dataset(source["kind"]).version
    return found


def _cell(grid: GridFile, draft: Draft, registry: Registry, prints: Fingerprints) -> Cell:
    settings = draft.settings
    versions = versions_of(settings, registry)
    fingerprints = prints.of(settings)
    return Cell(
        grid.name, draft.row, draft.seed, settings, cell_id(settings, versions, fingerprints),
        why_not(settings, registry), draft.source.published, versions, fingerprints,
        code_of(settings, registry),
    )


def _unique(made: Sequence[Cell], rows: Sequence[Row], report: Report) -> list[Cell]:
    """Each id once. Two rows of different names with the same settings are a mistake; a repeated value is none."""
    kept: dict[str, Cell] = {}
    for cell, row in zip(made, rows, strict=True):
        first = kept.setdefault(cell.id, cell)
        if first.row != cell.row and not cell.settings.blind:
            place = ("rows", row.number) if row.changes or row.name else ()
            report.add(place, f"rows {first.row!r} and {cell.row!r} have the same settings", "drop one, or change it")
    return list(kept.values())
