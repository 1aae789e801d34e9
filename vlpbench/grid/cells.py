"""The cells of a grid: rows x axes x seeds, minus what is excluded, plus the blind rows."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vlpbench.config.gridfile import GridFile, Row
from vlpbench.config.identity import cell_id
from vlpbench.config.known import Known, backbone_parts
from vlpbench.config.merge import KeyedError, merge, settings_of
from vlpbench.config.problems import Report, guess
from vlpbench.config.settings import CellSettings
from vlpbench.config.sums import parse_sum
from vlpbench.files import readable
from vlpbench.grid.fingerprints import Fingerprints, Opener
from vlpbench.grid.names import is_match, row_name
from vlpbench.grid.reasons import why_not
from vlpbench.metrics import VERSION as METRICS_VERSION
from vlpbench.registry import Registry

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

    @property
    def folder(self) -> str:
        """Name of its folder: readable first, the id behind it."""
        return f"{readable(self.row)}-s{self.seed}-{self.id}"


@dataclass(frozen=True)
class _Draft:
    """A cell before its data was looked at."""

    row: str
    seed: int
    settings: CellSettings
    source: Row


def cells(grid: GridFile, registry: Registry, opener: Opener) -> list[Cell]:
    """The cells in the order of rows, axes and seeds, blind ones last.

    Raises GridError with all that does not fit together. Reads the data's files for their fingerprints.
    """
    report = grid.report()
    drafts = list(_drafts(grid, registry.known(), report))
    report.raise_any()
    drafts = [one for one in drafts if not any(is_match(rule, one.row, one.settings) for rule in grid.exclude)]
    drafts += _blind(grid, drafts, registry, report)
    report.raise_any()
    prints = Fingerprints(registry, opener, report)
    prints.read(draft.settings for draft in drafts)
    report.raise_any()
    made = [_cell(grid, draft, registry, prints) for draft in drafts]
    kept = _unique(made, report)
    report.raise_any()
    return kept


def _drafts(grid: GridFile, known: Known, report: Report) -> Iterator[_Draft]:
    names: dict[str, int] = {}
    for row in grid.rows or (Row("", {}),):
        for values in itertools.product(*grid.axes.values()):
            axes = dict(zip(grid.axes, values, strict=True))
            try:
                whole = merge([grid.base, axes, row.changes, grid.overrides])
                settings = settings_of(whole, grid.seeds[0], known)
            except KeyedError as wrong:
                report.add(_path(grid, row, wrong.key), str(wrong), wrong.remedy)
                continue
            name = row_name(row.name, row.changes, axes, settings)
            if names.setdefault(name, row.number) != row.number:
                report.add(("rows", row.number, "name"), f"two rows are called {name!r}", "give each a name of its own")
            for seed in grid.seeds:
                yield _Draft(name, seed, dataclasses.replace(settings, seed=seed), row)


def _path(grid: GridFile, row: Row, key: str) -> tuple[str | int, ...]:
    """Where a key stands: in the row if the row says it, else among what all rows share."""
    path: tuple[str | int, ...] = tuple(key.split("."))
    inside: tuple[str | int, ...] = ("rows", row.number, *path)
    return inside if inside in grid.lines else path


def _blind(
    grid: GridFile, drafts: Sequence[_Draft], registry: Registry, report: Report
) -> list[_Draft]:
    """The reference row again, every image of fine-tuning and evaluation blanked: what language alone gives.

    The data sets of tasks that it leaves out stay: they decide the tokenizer, and so the pretraining is shared.
    """
    names = {one.row for one in drafts} | {one.source.name for one in drafts if one.source.name}
    if grid.reference and grid.reference not in names:
        report.add(("reference",), f"there is no row {grid.reference!r}", guess(grid.reference, names))
    if not grid.floors:
        return []
    row = next((one.row for one in drafts if _is_reference(grid, one, registry)), None)
    found = []
    for one in drafts:
        tasks = tuple(task for task in one.settings.tasks if _is_blind_task(task))
        if one.row == row and tasks and not one.settings.blind:
            protocol = {task: one.settings.protocol[task] for task in tasks}
            settings = dataclasses.replace(one.settings, blind=True, tasks=tasks, protocol=protocol)
            found.append(_Draft(f"{one.row}, blind", one.seed, settings, Row("", {})))
    return found


def _is_blind_task(task: str) -> bool:
    plain, _, form = task.partition("@")
    return plain in _BLIND_TASKS and form != "zero-shot"


def _is_reference(grid: GridFile, draft: _Draft, registry: Registry) -> bool:
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


def _cell(grid: GridFile, draft: _Draft, registry: Registry, prints: Fingerprints) -> Cell:
    settings = draft.settings
    versions = versions_of(settings, registry)
    fingerprints = prints.of(settings)
    return Cell(
        grid.name, draft.row, draft.seed, settings, cell_id(settings, versions, fingerprints),
        why_not(settings, registry), draft.source.published, versions, fingerprints,
    )


def _unique(made: Sequence[Cell], report: Report) -> list[Cell]:
    """Each id once. Two rows of different names with the same settings are a mistake; a repeated value is none."""
    kept: dict[str, Cell] = {}
    for cell in made:
        first = kept.setdefault(cell.id, cell)
        if first.row != cell.row and not cell.settings.blind:
            report.add((), f"rows {first.row!r} and {cell.row!r} have the same settings", "drop one, or change it")
    return list(kept.values())
