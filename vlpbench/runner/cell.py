"""One cell's life: pretrain, then for each task fine-tune, predict, score; then the record."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vlpbench import __version__
from vlpbench.config.identity import settings_to_plain
from vlpbench.config.sums import parse_sum
from vlpbench.device import Device, environment
from vlpbench.errors import UserError
from vlpbench.files import write_json
from vlpbench.grid import Cell
from vlpbench.records import CellFolder
from vlpbench.registry import Registry
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.hearing import Hearing, heard_as
from vlpbench.runner.overlaps import overlaps
from vlpbench.runner.pretraining import pretrain, stage_of
from vlpbench.runner.record import cost_of, curve_of, rows_of, scores_of
from vlpbench.runner.trials import trial_of
from vlpbench.runner.tuning import Tuned, tune
from vlpbench.runner.workbench import Workbench
from vlpbench.tasks.suite import Outcome, run_task, why_not
from vlpbench.training.loop import NonFiniteLoss
from vlpbench.training.pace import PACE, Pace

__all__ = ["described", "folder_of", "run_cell"]


def folder_of(cell: Cell, results: Path) -> CellFolder:
    """Where a cell's record is in a grid's results."""
    return CellFolder(results / "cells" / cell.folder)


def run_cell(
    cell: Cell, results: Path, registry: Registry, device: Device, hearing: Hearing | None = None, pace: Pace = PACE
) -> bool:
    """Run one cell and leave its record; an error becomes a record too. Returns whether it is done.

    `pace` is how it goes about its work; it changes no number.
    """
    folder = folder_of(cell, results)
    folder.begin(described(cell, registry))
    clock = _Clock(device)
    try:
        tuned = Tuned(cell)
        if cell.settings.tune.tries:
            tuned = clock.time("tune", lambda: tune(cell, results, registry, device, hearing, pace))
        bench = Workbench(tuned.cell, registry, device, pace)
        pretrained = clock.time("pretrain", lambda: pretrain(bench, results, heard_as(hearing, "pretrain")))
        stage = stage_of(tuned.cell, results)
        if stage is not None:  # where `init.checkpoint` finds the weights of this cell
            write_json(folder.path / "pretraining.json", {"stage": stage.path.name})
        outcomes: dict[str, Outcome | str] = {}
        for task in cell.settings.tasks:
            reason = why_not(task, bench.blueprint.offers, bench.trains)
            kept = fine_tune_of(tuned.cell, task, results)
            trial = trial_of(bench, task, pretrained, kept, heard_as(hearing, task))
            outcomes[task] = reason or clock.time(task, lambda trial=trial: run_task(trial))  # type: ignore[misc]
        asked = [task for task, outcome in outcomes.items() if isinstance(outcome, Outcome)]
        names = {task: fine_tune_of(tuned.cell, task, results).path.name for task in asked}
        write_json(folder.path / "fine_tunes.json", names)  # where `export`, `ask` and `caption` find them
        # also what a pretraining left out that another cell ran
        left_out = {**pretrained.told.get("left_out", {}), **bench.left_out()}
        scores = scores_of(cell, outcomes) | {"cost": cost_of(pretrained.told), "left_out": left_out}
        scores["overlap"] = overlaps(bench)
        if tuned.told is not None:
            scores["tuned"] = tuned.told
        scores |= {key: pretrained.told[key] for key in ("started", "cut_texts") if key in pretrained.told}
        folder.finish(scores, curve_of(pretrained.told["curve"], outcomes), rows_of(outcomes), clock.facts())
    except Exception as error:  # noqa: BLE001 (a cell's fault is its own: the grid goes on)
        folder.fail(*_cause(error), clock.facts())
        return False
    return True


def described(cell: Cell, registry: Registry) -> dict[str, Any]:
    """What was asked: the content of `settings.json`."""
    names = [name for _, name in parse_sum(cell.settings.objective)]
    return {
        "grid": cell.grid,
        "row": cell.row,
        "seed": cell.seed,
        "id": cell.id,
        "settings": settings_to_plain(cell.settings),
        "versions": {**cell.versions, "vlpbench": __version__},
        "fingerprints": dict(cell.fingerprints),
        "published": dict(cell.published),
        "origins": {name: _origin(registry, name) for name in names},
    }


def _origin(registry: Registry, name: str) -> dict[str, str]:
    origin = registry.origin("objective", name)
    return {key: getattr(origin, key) for key in ("distribution", "version", "file", "sha256")}


def _cause(error: Exception) -> tuple[str, dict[str, Any]]:
    """A sentence, and what is known beside it."""
    details: dict[str, Any] = {"error": type(error).__name__, "traceback": traceback.format_exc()}
    if isinstance(error, NonFiniteLoss):
        return str(error), details | {"step": error.step, "figures": error.figures}
    if isinstance(error, UserError):
        return error.cause, details | {"place": error.place, "remedy": error.remedy}
    return f"{type(error).__name__}: {error}", details


class _Clock:
    """Seconds of each stage, and what else differs from run to run."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.seconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], Any]) -> Any:
        """What `work` returns; its seconds are kept, also where it fails."""
        start = self.device.seconds()
        try:
            return work()
        finally:
            self.seconds[stage] = self.device.seconds() - start

    def facts(self) -> dict[str, Mapping[str, Any]]:
        """The contents of `timing.json` and `environment.json`."""
        timing = {"seconds": self.seconds, "total": sum(self.seconds.values()), "peak_bytes": self.device.peak_bytes()}
        return {"timing": timing, "environment": environment(self.device)}
