"""Evaluation is not only for what was trained here: an outside model takes the suite, and its record a table's row."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from vlpbench.config.identity import cell_id
from vlpbench.config.keys import checked, flatten
from vlpbench.config.merge import merge, settings_of
from vlpbench.config.typed import WrongValue
from vlpbench.contract.outside import Outside
from vlpbench.data.errors import DataError
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.files import readable
from vlpbench.grid import Cell, open_source
from vlpbench.metrics import VERSION
from vlpbench.records import cell_folders
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.given import HEADS, Cutter, Given
from vlpbench.runner.overlaps import overlaps
from vlpbench.runner.provenance import of_device, provenance
from vlpbench.runner.record import curve_of, rows_of, scores_of
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.tasks.suite import Outcome, run_task, why_not
from vlpbench.tasks.trial import Trial
from vlpbench.training.cost import parameters

__all__ = ["evaluate"]


def evaluate(
    model: Outside,
    tasks: str | Sequence[str],
    data: str | Mapping[str, Any],
    *,
    name: str = "",
    settings: Mapping[str, Any] | None = None,
    results: str | Path | None = None,
    device: str = "auto",
) -> dict[str, Outcome | str]:
    """Take an outside model through tasks of the suite: each one's outcome, or the reason why it has none.

    `data`: a built-in world by name, or one set under its name as `[data.NAME]` has it (`{"coco": {"kind": "coco",
    ...}}`). `settings`: dotted keys as a grid file has them (`{"protocol.retrieval.folds": 5, "split": "val"}`).
    `results`: a folder in which the record is left, so that `vlpbench report table` prints it, as the row `name` (the
    class's name). Mistakes are UserErrors; a task that the data cannot serve has that as its reason.
    """
    registry = load_registry()
    named = name or type(model).__name__
    asked = (tasks,) if isinstance(tasks, str) else tuple(tasks)
    cell = _cell(model, named, asked, data, settings or {}, registry)
    if results is not None:
        _refuse_namesake(cell, Path(results))
    bench = Workbench(cell, registry, Device.choose(device), tokenizer=Cutter(model))
    outcomes: dict[str, Outcome | str] = {}
    for task in cell.settings.tasks:
        try:
            outcomes[task] = why_not(task, model.offers, model.trains) or run_task(_trial(bench, task, model))
        except DataError as wrong:  # no questions, no labels: the other tasks are scored all the same
            outcomes[task] = f"n/a: {wrong.cause}"
    if results is not None:
        _leave(cell, outcomes, Path(results), bench, model)
    return outcomes


def _cell(
    model: Outside, name: str, tasks: tuple[str, ...], data: str | Mapping[str, Any], said: Mapping[str, Any],
    registry: Registry,
) -> Cell:
    """The cell that the record is of: no pretraining here, and the model's weights and way of seeing in its id."""
    set_name, table = _named(data)
    layer = {"objective": "none", "tasks": list(tasks), "data": set_name, **dict(flatten({"data": {set_name: table}}))}
    layer |= {"image.size": model.pixels, "image.mean": list(model.mean), "image.std": list(model.std), **said}
    kinds = {set_name: table.get("kind", set_name)}
    try:
        plain = {key: checked(key, value, registry.known(), kinds) for key, value in layer.items() if value != {}}
        settings = settings_of(merge([plain]), 0, registry.known())
    except WrongValue as wrong:
        raise UserError(f"evaluate(): {wrong}", getattr(wrong, "key", ""), wrong.remedy) from wrong
    settings = replace(settings, backbone=f"outside/{readable(name)}/-")
    prints = {key: open_source(source, registry, opened_here).fingerprint() for key, source in settings.sources.items()}
    versions = {"metrics": VERSION}
    return Cell("outside", name, 0, settings, cell_id(settings, versions, prints | {"model": _digest(model)}), None, {},
                versions, prints)


def _named(data: str | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Name and table of the one data set."""
    if isinstance(data, str):
        return data, {}
    if len(data) != 1 or not isinstance(next(iter(data.values())), Mapping):
        raise UserError(f"evaluate(): data names one set, not {', '.join(map(str, data)) or 'none'}",
                        remedy='write {"coco": {"kind": "coco", ...}}, or the name of a world; call it once a set')
    name, table = next(iter(data.items()))
    return name, table


def _refuse_namesake(cell: Cell, results: Path) -> None:
    """UserError where a record of that name is of something else: two would become one row, with a spread."""
    for other in cell_folders(results):
        said = other.read("settings.json")
        if said["row"] == cell.row and said["id"] != cell.id:
            raise UserError(f"{results} has a row {cell.row!r} already, of other weights, tasks or settings",
                            str(other.path), "give this one a name of its own, evaluate(..., name=...), or delete that")


def _digest(model: Outside) -> str:
    """A hash of all weights by name: another checkpoint is another cell."""
    found = hashlib.sha256(type(model).__name__.encode())
    for key, value in model.state_dict().items():
        found.update(key.encode())
        found.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _trial(bench: Workbench, task: str, model: Outside) -> Trial:
    heads = {name: partial(head, None) for name, head in HEADS.items() if name in model.trains}
    return replace(trial_of(bench, task, plan=Given(model)), heads=heads, trains=model.trains)


def _leave(
    cell: Cell, outcomes: Mapping[str, Outcome | str], results: Path, bench: Workbench, model: Outside
) -> None:
    """Write the record as a grid's cell has it."""
    folder = folder_of(cell, results)
    folder.begin(described(cell, bench.registry))
    rows, columns = model.grid
    cost = {"parameters": parameters(model), "image_tokens": rows * columns, "samples": 0, "targets": 0, "flops": 0}
    scores = scores_of(cell, outcomes) | {"cost": cost, "left_out": bench.left_out()}
    scores["overlap"] = overlaps(bench)
    timing = {"seconds": {}, "total": 0.0, "peak_bytes": bench.device.peak_bytes()}
    facts = {"timing": timing, "environment": {**of_device(bench.device), **provenance(sys.argv, None, bench.registry)}}
    folder.finish(scores, curve_of([], outcomes), rows_of(outcomes), facts)
