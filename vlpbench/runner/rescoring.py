"""Scores again, from the predictions that cells have kept: no model, no pictures, no GPU."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlpbench.config.measured import suite_metrics
from vlpbench.config.settings import Protocol
from vlpbench.config.task_name import parse_task
from vlpbench.errors import UserError
from vlpbench.metrics import VERSION
from vlpbench.metrics.captions import METRICS
from vlpbench.metrics.names import extras_among, is_suite
from vlpbench.records import CellFolder, cell_folders
from vlpbench.registry import Registry
from vlpbench.runner.added_metrics import add_to_task, extras_of_task
from vlpbench.tasks.suite import task_named

__all__ = ["Rescored", "done_cells", "refuse_unread", "rescore", "with_predictions"]


@dataclass(frozen=True)
class Rescored:
    """What became of one task of one cell."""

    row: str
    """The cell's row."""
    seed: int
    """Its seed."""
    task: str
    """The task."""
    changed: Mapping[str, tuple[float | None, float | None]]
    """Metric -> what it was and what it is, where they differ; None where it was not, or no longer is, measured."""
    reasons: Mapping[str, str]
    """Metric -> why there is still no value."""


def done_cells(results: Path) -> list[CellFolder]:
    """The finished cells of a grid's results; UserError where there is none."""
    found = [folder for folder in cell_folders(results) if folder.state() == "done"]
    if not found:
        raise UserError(f"there is no finished cell in {results}", remedy="name a grid's results: results/demo")
    return found


def with_predictions(found: Sequence[CellFolder], results: Path) -> list[CellFolder]:
    """Those of these cells that keep predictions; UserError where all are compact records, which do not."""
    whole = [folder for folder in found if not folder.is_compact]
    if not whole:
        raise UserError("all finished cells here are compact records: they keep scores of single examples, and no "
                        "predictions to be scored again", str(results),
                        "name the results folder that they were copied from, or run the grid anew")
    return whole


def refuse_unread(found: Sequence[CellFolder], metrics: Sequence[str], registry: Registry) -> None:
    """UserError for an extra metric that none of these cells has predictions for."""
    names = {name for folder in found for name, said in folder.read("scores.json")["tasks"].items() if "values" in said}
    for metric in extras_among(metrics):
        reads = sorted(registry.metric(metric).tasks)
        if not {parse_task(name).task for name in names} & set(reads):
            raise UserError(f"{metric!r} reads predictions of {', '.join(reads)}, and no finished cell has any",
                            "--metrics", f"tasks here: {', '.join(sorted(names)) or 'none'}")


def rescore(folder: CellFolder, registry: Registry, metrics: Sequence[str] = ()) -> list[Rescored]:
    """Measure a finished cell again: what its grid asked for, what it has, and `metrics` where they read its task.

    An extra metric that is not installed keeps its values. The cell's files are written one by one and its status last:
    a cell that is cut off in between counts as damaged, and `run grid` makes it again.
    """
    asked, scores = folder.read("settings.json"), folder.read("scores.json")
    predictions, told = {}, []
    for task, said in scores["tasks"].items():
        if "values" not in said:
            continue
        rows = folder.predictions(task)
        named = tuple(asked["settings"]["protocol"][task]["metrics"])
        there = [metric for metric in said["values"] if metric in METRICS]
        wanted = [*suite_metrics(Protocol(metrics=named)), *there, *(name for name in metrics if is_suite(name))]
        extras = extras_of_task(task, said, (*named, *metrics), registry)
        was = said["values"]
        columns = {name: [row.pop(name, None) for row in rows] for name in extras_among(was)}
        found = task_named(task).score(rows, wanted)
        said |= {
            "examples": found.examples, "values": found.values, "reasons": found.reasons, "floors": found.floors,
            "ceilings": found.ceilings, "told": found.told,
        }
        add_to_task(said, rows, extras, was, columns)
        told.append(Rescored(asked["row"], asked["seed"], task, _changed(was, said["values"]), said["reasons"]))
        predictions[task] = rows
    folder.score_again(scores | {"metrics": VERSION}, predictions)
    return told


def _changed(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[float | None, float | None]]:
    pairs = {name: (was.get(name), now.get(name)) for name in {**was, **now}}
    return {name: pair for name, pair in pairs.items() if not _same(*pair)}


def _same(one: float | None, two: float | None) -> bool:
    if one is None or two is None:
        return one is two
    return math.isclose(one, two, rel_tol=0, abs_tol=1e-9)
