"""Where each cell of a grid stands: what is there, what runs, what another run would do, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from vlpbench.config.task_name import parse_task
from vlpbench.files import digest_file
from vlpbench.grid import Cell
from vlpbench.records import CellFolder, Claims, Holder, StageFolder
from vlpbench.registry import Registry
from vlpbench.runner.earlier import Asked, Earlier, asked_by, differences, earlier_records
from vlpbench.runner.stages import stages_of
from vlpbench.runner.tuning import tries_of

__all__ = [
    "STATES", "Doing", "StageStanding", "Standing", "State", "checkpoint_step", "standing", "standings", "states",
]

State = Literal["pending", "running", "done", "failed", "timeout", "skipped", "stale", "damaged"]

STATES: tuple[State, ...] = ("pending", "running", "done", "failed", "timeout", "skipped", "stale", "damaged")
"""In the order in which they are told."""

Doing = Literal["reuse", "resume", "run", "running", "shared"]
"""What a run does with a stage: reuse it; go on at its checkpoint; run it; wait for who runs it now; wait for a cell
that comes first."""


@dataclass(frozen=True)
class StageStanding:
    """Where one stage of a cell stands."""

    label: str
    """ "tune", "pretrain", "vqa: fine-tune", "vqa: predict"."""
    folder: str
    """Name of its folder under `stages`."""
    doing: Doing
    """What a run would do with it."""
    step: int = 0
    """The step of its checkpoint; 0 where there is none."""
    of: int = 0
    """Its steps in all; 0 where that is not known."""
    holder: Holder | None = None
    """Who runs it now."""
    cell: Asked | None = None
    """The cell that comes first and shares it."""


@dataclass(frozen=True)
class Standing:
    """Where one cell stands."""

    asked: Asked
    """The cell."""
    state: State
    """What it is."""
    why: str = ""
    """A sentence: the cause, the reason, what differs from an earlier record; empty where the state says it all."""
    holder: Holder | None = None
    """Who runs it now."""
    stages: tuple[StageStanding, ...] = ()
    """What a run would do with each of its stages; none of a cell that needs no run, or of which only the results are
    known."""
    earlier: Earlier | None = None
    """Of a stale cell: the record that the grid no longer has."""
    differs: tuple[str, ...] = field(default=())
    """Of a stale cell: all that differs from it, in sentences."""


def standing(cell: Cell, results: Path, registry: Registry, claims: Claims) -> Standing:
    """Where one cell stands. Of several ask `standings`, which reads shared things once and knows who comes first."""
    return standings([cell], results, registry, claims)[cell.id]


def standings(
    cells: Sequence[Cell], results: Path, registry: Registry, claims: Claims, also: str = ""
) -> dict[str, Standing]:
    """Cell id -> where it stands, with the stages of each that is not done, and of the one with the id `also`."""
    found = states([asked_by(cell) for cell in cells], results, claims)
    look = _Stages(results, registry, claims)
    for cell in cells:
        one = found[cell.id]
        if one.state != "skipped" and (one.state != "done" or cell.id == also):
            found[cell.id] = replace(one, stages=look.of(cell, one))
    return found


def states(asked: Iterable[Asked], results: Path, claims: Claims) -> dict[str, Standing]:
    """Cell id -> its state and why, without its stages: from the results alone, no plugin and no data is needed."""
    asked = list(asked)
    folders = {one.folder for one in asked}
    earlier: dict[tuple[str, int], list[Earlier]] = {}
    for record in earlier_records(results, folders):
        earlier.setdefault((record.asked["row"], record.asked["seed"]), []).append(record)
    return {one.id: _state(one, results, claims, earlier.get((one.row, one.seed), [])) for one in asked}


def _state(asked: Asked, results: Path, claims: Claims, earlier: Sequence[Earlier]) -> Standing:
    if asked.reason:
        return Standing(asked, "skipped", asked.reason)
    folder = CellFolder(results / "cells" / asked.folder)
    state = folder.state()
    if state == "done":
        return Standing(asked, "done")
    if (holder := claims.holder(asked.claim)) is not None:
        return Standing(asked, "running", holder.sentence(), holder)
    if state == "damaged":
        return Standing(asked, "damaged", _damage(folder))
    if state in ("failed", "timeout"):
        return Standing(asked, state, str(folder.status().get("cause", "")))
    return _stale(asked, earlier) if earlier else Standing(asked, "pending")


def _damage(folder: CellFolder) -> str:
    """Which file is missing or not as it was written."""
    files = folder.status().get("files", {})
    if not files:
        return "status.json is not as it was written"
    for name, was in files.items():
        path = folder.path / name
        if not path.is_file():
            return f"{name} is missing"
        if digest_file(path) != was:
            return f"{name} is not as it was written"
    return "a file of the record is missing"


def _stale(asked: Asked, earlier: Sequence[Earlier]) -> Standing:
    """A cell that has not been run, and the record of its row and seed that is nearest to it."""
    told = [(differences(one.asked, asked.deciding) if asked.deciding else [], one) for one in earlier]
    differs, nearest = min(told, key=lambda pair: len(pair[0]))
    why = _few(differs) or f"a record of other settings, versions or data is there: {nearest.folder}"
    return Standing(asked, "stale", why, earlier=nearest, differs=tuple(differs))


def _few(sentences: Sequence[str]) -> str:
    more = len(sentences) - 2
    return "; ".join(sentences[:2]) + (f"; and {more} more" if more > 0 else "")


class _Stages:
    """Looks at the stages of cells in their order; a stage that several share is read once, and is the first one's."""

    def __init__(self, results: Path, registry: Registry, claims: Claims) -> None:
        self.results, self.registry, self.claims = results, registry, claims
        self._there: dict[str, bool] = {}
        self._first: dict[str, Asked] = {}

    def of(self, cell: Cell, stands: Standing) -> tuple[StageStanding, ...]:
        """The stages of one cell."""
        found = stages_of(cell, self.results, self.registry)
        return tuple(self._one(cell, stands, stage.label, stage.folder) for stage in found)

    def _one(self, cell: Cell, stands: Standing, label: str, folder: StageFolder) -> StageStanding:
        name, of = folder.path.name, _steps(cell, label)
        if self._is_there(folder):
            return StageStanding(label, name, "reuse", of=of)
        step = checkpoint_step(folder.path)
        if (holder := self.claims.holder(name)) is not None:
            return StageStanding(label, name, "running", step, of, holder)
        first = self._first.setdefault(name, stands.asked)
        if first.id != cell.id:
            return StageStanding(label, name, "shared", step, of, cell=first)
        return StageStanding(label, name, "resume" if step else "run", step, of)

    def _is_there(self, folder: StageFolder) -> bool:
        name = folder.path.name
        if name not in self._there:
            self._there[name] = folder.told() is not None
        return self._there[name]


def checkpoint_step(stage: Path) -> int:
    """The step at which a stage can go on; 0 where it begins at the beginning."""
    try:
        said = json.loads((stage / "checkpoint" / "checkpoint.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    step = said.get("step", 0) if isinstance(said, Mapping) else 0
    return step if isinstance(step, int) else 0


def _steps(cell: Cell, label: str) -> int:
    """The steps of a stage in all; of a tuning its tries."""
    settings = cell.settings
    task, _, what = label.partition(": ")
    if label == "tune":
        return len(tries_of(settings))
    if label == "pretrain":
        return max(1, settings.budget.samples // settings.budget.batch)
    if what == "fine-tune" and parse_task(task).protocol == "fine-tune":
        return max(1, settings.protocol[task].samples // settings.protocol[task].batch)
    return 0
