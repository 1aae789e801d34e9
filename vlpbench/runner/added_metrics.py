"""Extra metrics in records that are there already: measured from stored predictions, the suite's values left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlpbench.config.measured import extra_metrics
from vlpbench.config.task_name import parse_task
from vlpbench.grid import Cell
from vlpbench.metrics.names import extras_among
from vlpbench.records import CellFolder, Claims
from vlpbench.registry import Registry
from vlpbench.runner.cell import folder_of
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.worker import claim_name
from vlpbench.tasks.extra import Extra, extras_of
from vlpbench.tasks.extra_metrics import add_extras
from vlpbench.tasks.task import Row
from vlpbench.tasks.trial import Scores

__all__ = ["add_to_task", "extras_of_task", "lacking", "measure_lacking"]


def extras_of_task(task: str, said: Mapping[str, Any], names: Iterable[str], registry: Registry) -> list[Extra]:
    """The extra metrics that a task's part of a record has, and those of `names` that read its predictions."""
    own = parse_task(task).task
    found = extras_of(dict.fromkeys((*extras_among(said["values"]), *extras_among(names))), registry)
    return [one for one in found if one.name in said["values"] or (one.metric and own in one.metric.tasks)]


def add_to_task(
    said: dict[str, Any], rows: Sequence[Row], extras: Sequence[Extra], was: Mapping[str, float | None],
    columns: Mapping[str, Sequence[float | None]],
) -> None:
    """Measure `rows` by `extras`; one that is not installed keeps what it `was` and its `columns`, one value a row.

    Writes into `said` (a task's part of `scores.json`, with the suite's values) and into the rows, which hold no
    extra metric's values yet.
    """
    old = said.pop("extras", {})
    gone = [one.name for one in extras if one.metric is None and was.get(one.name) is not None]
    scores = Scores(said["values"], said["reasons"])
    add_extras([one for one in extras if one.name not in gone], rows, scores)
    for name in gone:
        said["values"][name] = was[name]
        for row, value in zip(rows, columns[name], strict=True):
            row[name] = value
    told = scores.extras | {name: old[name] for name in gone if name in old}
    if told:
        said["extras"] = told


def lacking(cell: Cell, results: Path) -> dict[str, list[str]]:
    """Task -> extra metrics that a finished cell's grid names and its record knows nothing of."""
    wanted = {task: extra_metrics(protocol) for task, protocol in cell.settings.protocol.items()}
    if not any(wanted.values()):
        return {}
    tasks = folder_of(cell, results).read("scores.json")["tasks"]
    found = {
        task: [name for name in names if name not in tasks[task]["values"]]
        for task, names in wanted.items() if "values" in tasks.get(task, {})
    }
    return {task: names for task, names in found.items() if names}


def measure_lacking(cell: Cell, results: Path, registry: Registry) -> bool:
    """Add to a finished cell's record what it is lacking; False where another run is at it."""
    claim = Claims(results / CLAIMS).take(claim_name(cell))
    if claim is None:
        return False
    with claim:
        _add(folder_of(cell, results), lacking(cell, results), registry)
    return True


def _add(folder: CellFolder, names: Mapping[str, Sequence[str]], registry: Registry) -> None:
    """Measure these metrics alone and write the record anew; its status comes last."""
    scores, predictions = folder.read("scores.json"), {}
    for task, wanted in names.items():
        said = scores["tasks"][task]
        rows = folder.predictions(task)
        others = extras_among(said["values"])
        columns = {name: [row.pop(name, None) for row in rows] for name in others}
        found = Scores(said["values"], said["reasons"])
        add_extras(extras_of(wanted, registry), rows, found)
        for name, values in columns.items():
            for row, value in zip(rows, values, strict=True):
                row[name] = value
        if found.extras:
            said["extras"] = {**said.get("extras", {}), **found.extras}
        predictions[task] = rows
    folder.score_again(scores, predictions)
