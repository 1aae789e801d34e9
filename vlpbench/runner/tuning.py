"""Settings tried on the validation split before a cell is run: equal effort for every row, one written rule.

The rule (`vlpbench.config.settings.Tune`): each combination is pretrained and fine-tuned once at seed 0, the highest
primary metric of the task on the validation split wins, of equals the first. Seeds and blind rows share the choice.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vlpbench.config.changes import with_changes
from vlpbench.config.identity import settings_to_plain
from vlpbench.config.measured import without_extras
from vlpbench.config.settings import CellSettings, Tune
from vlpbench.contract.sealed import sealed
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import Cell, task_why_not, why_not
from vlpbench.records import StageFolder
from vlpbench.registry import Registry
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.hearing import Hearing, heard_as
from vlpbench.runner.pretraining import pretrain
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.task_size import refuse_size
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench
from vlpbench.tasks.fine_tuning import primary_score
from vlpbench.tasks.suite import run_task, task_named
from vlpbench.training.loop import NonFiniteLoss
from vlpbench.training.pace import PACE, Pace

__all__ = ["Tuned", "chosen_of", "tried", "tries_of", "tune", "tuning_of"]


@dataclass(frozen=True)
class Tuned:
    """A cell with the settings that were chosen for it."""

    cell: Cell
    """The cell to run."""
    told: Mapping[str, Any] | None = None
    """tried (settings, score or reason, flops) and choice, for the record; None where nothing was tried."""


def tune(
    cell: Cell, sharing: Sharing, registry: Registry, device: Device, hearing: Hearing | None = None, pace: Pace = PACE
) -> Tuned:
    """Try what is to be tried, or read what another cell's trying has left."""
    stage = tuning_of(cell, sharing.results)
    if stage is None:
        return Tuned(cell)
    with sharing.held(stage):
        told = stage.told()
        if told is None:
            told = {"tried": [], "task": cell.settings.tune.task, "samples": _samples(cell.settings)}
            tries = tries_of(cell.settings)
            for number, changes in enumerate(tries, 1):
                heard = _under(hearing, f"try {number}/{len(tries)}")
                with sealed("tuning"):
                    found = _one(tried(cell, changes, registry), sharing, registry, device, heard, pace)
                told["tried"].append({"settings": changes, **found})
            told["choice"] = _best(told["tried"])
            stage.close(told)
    return Tuned(chosen_of(cell, told, registry), told)


def tuning_of(cell: Cell, results: Path) -> StageFolder | None:
    """Where a cell's choice is kept; None where nothing is tried.

    It is decided by everything but the seed, blindness, and what else is evaluated.
    """
    if not cell.settings.tune.tries:
        return None
    task = cell.settings.tune.task
    settings = without_extras(cell.settings)
    protocol = {task: settings.protocol[task]}
    asked = replace(settings, seed=0, blind=False, split="val", tasks=(task,), protocol=protocol)
    plain = {name: value for name, value in settings_to_plain(asked).items() if name != "init"}
    decided_by = {"settings": plain, "versions": dict(cell.versions), "data": dict(cell.fingerprints)}
    return StageFolder.of(results, "tune", decided_by, cell.code)


def tries_of(settings: CellSettings) -> list[dict[str, Any]]:
    """Each combination of what is tried, in the order of the tries."""
    names, values = settings.tune.tries.keys(), settings.tune.tries.values()
    return [dict(zip(names, one, strict=True)) for one in itertools.product(*values)]


def _samples(settings: CellSettings) -> int:
    return settings.tune.samples or settings.budget.samples


def tried(cell: Cell, changes: Mapping[str, Any], registry: Registry) -> Cell:
    """The cell of one try: seed 0, every picture seen, one task, scored on validation."""
    settings, task = without_extras(cell.settings), cell.settings.tune.task
    asked = replace(
        settings, seed=0, blind=False, split="val", tasks=(task,), protocol={task: settings.protocol[task]},
        tune=Tune(), budget=replace(settings.budget, samples=_samples(settings)),
    )
    return replace(cell, seed=0, settings=with_changes(asked, changes, registry.known()))


def _one(
    cell: Cell, sharing: Sharing, registry: Registry, device: Device, hearing: Hearing | None, pace: Pace
) -> dict[str, Any]:
    """The score of one try, or the reason why it has none."""
    pace = replace(pace, at_once=0)  # of scores that all but tie the last bit decides: it hangs on no pace
    bench, task = Workbench(cell, registry, device, pace), cell.settings.tasks[0]
    if reason := _cannot(cell, task, registry, bench):
        return {"score": None, "reason": reason, "flops": 0}
    try:
        pretrained = pretrain(bench, sharing, heard_as(hearing, "pretrain"))
        stage = fine_tune_of(cell, task, sharing.results)
        with sharing.held(stage):
            outcome = run_task(trial_of(bench, task, pretrained, stage, heard_as(hearing, task)))
    except NonFiniteLoss as wrong:  # a rate too high is a result of the trying, not its end
        return {"score": None, "reason": str(wrong), "flops": 0}
    flops = pretrained.told["flops"] + outcome.training.flops
    return {"score": primary_score(task_named(task), outcome.scores), "flops": flops}


def _cannot(cell: Cell, task: str, registry: Registry, bench: Workbench) -> str:
    """Why a try cannot be run (its trunk lacks an ability, its stem cannot take the picture's size), or nothing."""
    if reason := why_not(cell.settings, registry) or task_why_not(task, cell.settings, registry):
        return reason.removeprefix("n/a: ")
    plan = bench.blueprint
    try:
        with torch.device("meta"):  # shapes alone
            plan.stem(plan.size, plan.pixels, plan.argument)
        refuse_size(bench, task)
    except ValueError as wrong:
        return str(wrong)
    except UserError as wrong:
        return wrong.cause
    return ""


def _best(tried: list[dict[str, Any]]) -> dict[str, Any]:
    scored = [one for one in tried if one["score"] is not None]
    if not scored:
        raise UserError(f"none of {len(tried)} tries has a score; the first: {tried[0].get('reason', 'no score')}",
                        "tune.tries", "try other values")
    best: dict[str, Any] = max(scored, key=lambda one: one["score"])["settings"]  # max keeps the first of equals
    return best


def chosen_of(cell: Cell, told: Mapping[str, Any], registry: Registry) -> Cell:
    """The cell with the settings that a tuning chose."""
    return replace(cell, settings=with_changes(cell.settings, told["choice"], registry.known()))


def _under(hearing: Hearing | None, said: str) -> Hearing | None:
    if hearing is None:
        return None
    return lambda stage, done, of, figures: hearing(f"{said}: {stage}", done, of, figures)
