"""A results folder's compact copy: the records of finished cells without what is large, small enough to commit.

The copy is a results folder itself: tables and tests come out of it as out of the whole one, and a run that is pointed
at it goes on from there. Kept beside the records are what `[tune]` chose, and what the stages took.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vlpbench.errors import UserError
from vlpbench.files import written_whole
from vlpbench.records import CellFolder, Claims, StageFolder, stage_folders
from vlpbench.records.compact import is_copied, write_compact
from vlpbench.results.compute.stages import note_times
from vlpbench.results.example_scores import example_columns
from vlpbench.results.grid_order import read_order
from vlpbench.runner.earlier import Asked, asked_in, earlier_records
from vlpbench.runner.orphans import Orphan, remove
from vlpbench.runner.sharing import CLAIMS

__all__ = ["Compacted", "compact"]

_STAGE = ("stage.json", "run.json")
"""All that a stage of tuning has; no weights."""


@dataclass(frozen=True)
class Compacted:
    """What became of each cell of a grid."""

    name: str
    """Of the grid."""
    written: tuple[str, ...]
    """Cells that were copied, or made small: row and seed."""
    kept: tuple[str, ...]
    """Those of which a compact record was there already."""
    left: Mapping[str, str]
    """Those that were not copied, with the reason."""
    orphans: tuple[str, ...]
    """Names of folders of records that the grid no longer has; left alone."""
    pending: int
    """Cells still to be run."""
    stages: int = 0
    """Stages in place that were removed."""
    stages_left: Mapping[str, str] = field(default_factory=dict)
    """Those in place that stay, though they are no tuning's, with the reason."""


def compact(results: Path, folder: Path, heard: Callable[[int, int], None] = lambda done, of: None) -> Compacted:
    """Write the compact copy of a grid's results to `folder`; in place where that is the same folder.

    A copy that is there is brought up to date: cells that it has and `results` lacks stay. `heard` is told how many
    cells of how many have been looked at. UserError where `results` tells of no grid, or `folder` is another grid's.
    """
    asked = _asked(results)
    _refuse_other(folder, results, asked)
    running = Claims(results / CLAIMS).all()
    written, kept, left, pending = list[str](), list[str](), dict[str, str](), 0
    for at, one in enumerate(asked):
        heard(at, len(asked))
        who = f"{one.row}, seed {one.seed}"
        cell = CellFolder(results / "cells" / one.folder)
        state = "running" if one.claim in running else cell.state()
        if one.reason or state == "pending":
            pending += not one.reason
        elif state != "done":
            left[who] = _why(state, cell)
        elif why := _copied(cell, folder, one, kept, written):
            left[who] = why
    heard(len(asked), len(asked))
    _copy_file(results / "grid.json", folder / "grid.json")
    _copy_tunings(results, folder)
    is_here = results.resolve() == folder.resolve()
    needed = _needed(results, asked, whole=not (pending or left)) if is_here else {}
    note_times(results, folder, {one.path.name for one in stage_folders(results)} - needed.keys())
    gone, stay = _remove(results, needed) if is_here else (0, {})
    orphans = tuple(one.folder for one in earlier_records(results, {one.folder for one in asked}))
    with contextlib.suppress(OSError):  # somebody else's claims are in it
        (folder / CLAIMS).rmdir()
    return Compacted(read_order(results).name, tuple(written), tuple(kept), left, orphans, pending, gone, stay)


def _asked(results: Path) -> list[Asked]:
    if not (results / "grid.json").is_file():
        inside = sorted(path.parent for path in results.glob("*/grid.json"))
        meant = f"did you mean {inside[0]}?" if inside else "name a grid's results: results/demo"
        raise UserError(f"{results} has no grid.json, so it is not known what belongs to the grid", str(results), meant)
    return asked_in(results)


def _refuse_other(folder: Path, results: Path, asked: Sequence[Asked]) -> None:
    """UserError where the folder is another grid's, or has finished cells that this grid would make orphans of."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file", str(folder), "name a folder")
    if not (folder / "grid.json").is_file():
        return
    there, mine = read_order(folder).name, read_order(results).name
    if there != mine:
        raise UserError(f"{folder} holds the results of {there!r}, not of {mine!r}", str(folder), "name another folder")
    ids = {one.id for one in asked}
    others = [one for one in asked_in(folder) if one.id not in ids]
    lost = [one for one in others if CellFolder(folder / "cells" / one.folder).state() == "done"]
    if lost:
        raise UserError(
            f"{folder} has finished cells that the grid in {results} has not: {lost[0].row}, seed {lost[0].seed}"
            + (f" and {len(lost) - 1} more" if len(lost) > 1 else ""), str(folder),
            "name another folder; reports read several folders as one",
        )


def _copied(cell: CellFolder, folder: Path, asked: Asked, kept: list[str], written: list[str]) -> str:
    """Write one cell's compact record unless it is there; why it was not, or nothing."""
    who, target = f"{asked.row}, seed {asked.seed}", folder / "cells" / asked.folder
    if is_copied(cell, target):
        kept.append(who)
        return ""
    there = CellFolder(target)
    if target.resolve() != cell.path.resolve() and there.state() == "done" and not there.is_compact:
        return f"{folder} has a whole record of it, which only `vlpbench grid compact {folder} {folder}` makes small"
    claim = Claims(folder / CLAIMS).take(asked.claim)
    if claim is None:
        return "somebody uses it now"
    with claim:
        columns = {} if cell.is_compact else _columns(cell)
        write_compact(cell, target, columns)
    written.append(who)
    return ""


def _columns(cell: CellFolder) -> dict[str, list[str]]:
    """Task -> the columns of its predictions that are kept."""
    scored = {task: said["values"] for task, said in cell.read("scores.json")["tasks"].items() if "values" in said}
    return {
        task: example_columns(cell, task, [name for name, value in values.items() if value is not None])
        for task, values in scored.items() if cell.examples(task).is_file()
    }


def _why(state: str, cell: CellFolder) -> str:
    cause = str(cell.status().get("cause", "")).partition("\n")[0]
    return f"{state}: {cause}" if cause else state


def _copy_tunings(results: Path, folder: Path) -> None:
    """What was tried on validation, and chosen."""
    for stage in stage_folders(results):
        if _is_tuning(stage):
            target = StageFolder(folder / "stages" / stage.path.name)
            for name in reversed(_STAGE):  # stage.json is written last
                _copy_file(stage.path / name, target.path / name)


def _copy_file(path: Path, target: Path) -> None:
    """The same bytes; nothing where they are there, or where there is no such file."""
    if not path.is_file() or (target.is_file() and target.read_bytes() == path.read_bytes()):
        return
    with written_whole(target) as temporary:
        temporary.write_bytes(path.read_bytes())


def _is_tuning(stage: StageFolder) -> bool:
    return stage.path.name.startswith("tune-") and stage.told() is not None


def _needed(results: Path, asked: Sequence[Asked], whole: bool) -> dict[str, str]:
    """Stages that must stay where a folder is made small in place, with the reason: what somebody may yet go on with.

    `whole`: every cell is done. Else only what finished records name goes.
    """
    running = Claims(results / CLAIMS).all()
    found = {one.path.name: "somebody uses it now" for one in stage_folders(results) if one.path.name in running}
    if whole:
        return found
    named = {name for one in asked for name in _named(CellFolder(results / "cells" / one.folder))}
    for stage in stage_folders(results):
        learnt = stage.said().get("decided_by", {}).get("learnt")
        if not _is_tuning(stage) and stage.path.name not in named and learnt not in named:
            found.setdefault(stage.path.name, "cells are still to be run, which may go on from it")
    return found


def _named(cell: CellFolder) -> list[str]:
    """The stages that a compact record names: its pretraining and its fine-tunes."""
    if not cell.is_compact:
        return []
    pretraining, fine_tunes = (
        cell.read(name) if (cell.path / name).is_file() else {} for name in ("pretraining.json", "fine_tunes.json")
    )
    return [str(name) for name in (*pretraining.values(), *fine_tunes.values())]


def _remove(results: Path, needed: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """Take away the stages that are not needed, but for tunings; how many went, and which stay for what reason."""
    claims, gone, stay = Claims(results / CLAIMS), 0, dict(needed)
    for stage in stage_folders(results):
        if stage.path.name in needed or _is_tuning(stage):
            continue
        if why := remove(Orphan("stage", stage.path, 0), results, claims):
            stay[stage.path.name] = why
        else:
            gone += 1
    return gone, stay
