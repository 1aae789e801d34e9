"""How long a run still takes: samples that are left, at the pace of those that are done."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from vlpbench.config.settings import CellSettings
from vlpbench.config.task_name import parse_task
from vlpbench.runner.events import Event
from vlpbench.runner.grid_run import Plan
from vlpbench.runner.pretraining import stage_of
from vlpbench.runner.tuning import tries_of, tuning_of

__all__ = ["TimeLeft", "Work", "work_of"]

Work = Mapping[str, Mapping[str, float]]
"""Samples of each stage of each cell, by the cell's id."""

TUNED, ASKED = 1.0, 500.0
"""A fine-tune costs what its samples cost, and asking afterwards about as much as this many more."""


def work_of(plan: Plan, cells: Sequence[str]) -> Work:
    """What is to be done; a pretraining that cells share is counted once, and one that is there already not at all."""
    found: dict[str, dict[str, float]] = {}
    shared = set()
    for cell in plan.chosen("run"):
        if cell.id not in cells:
            continue
        tuning = tuning_of(cell, plan.results)
        if tuning is not None and tuning not in shared and tuning.told() is None:
            shared.add(tuning)
            found[cell.id] = _tries(cell.settings)
        stage = stage_of(cell, plan.results)
        if stage is not None and stage not in shared and stage.told() is None:
            shared.add(stage)
            found.setdefault(cell.id, {})["pretrain"] = float(cell.settings.budget.samples)
        for task in cell.settings.tasks:
            samples = cell.settings.protocol[task].samples if parse_task(task).protocol == "fine-tune" else 0
            found.setdefault(cell.id, {})[task] = TUNED * samples + ASKED
    return found


def _tries(settings: CellSettings) -> dict[str, float]:
    """Samples of each stage of each try."""
    many, tune = len(tries_of(settings)), settings.tune
    pretrain = 0.0 if settings.objective == "none" else float(tune.samples or settings.budget.samples)
    stages = {"pretrain": pretrain, tune.task: TUNED * settings.protocol[tune.task].samples + ASKED}
    return {f"try {n}/{many}: {stage}": work for n in range(1, many + 1) for stage, work in stages.items() if work}


class TimeLeft:
    """Listens to a run and tells the seconds that are left."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.done = {cell: dict.fromkeys(stages, 0.0) for cell, stages in work.items()}
        self.since: float | None = None

    def heard(self, event: Event) -> None:
        """Note what is done. A stage that has begun says that those before it are over."""
        if event.cell not in self.work:
            return
        if event.what == "started" and self.since is None:
            self.since = time.monotonic()
        stages = self.work[event.cell]
        if event.what in ("done", "failed"):
            self.done[event.cell] = dict(stages)
        if event.what == "progress" and event.said in stages and event.of:
            for stage in stages:
                if stage == event.said:
                    self.done[event.cell][stage] = stages[stage] * event.done / event.of
                    break
                self.done[event.cell][stage] = stages[stage]

    @property
    def share(self) -> float:
        """Part of the work that is done, 0 to 1."""
        whole = sum(sum(stages.values()) for stages in self.work.values())
        return sum(sum(stages.values()) for stages in self.done.values()) / whole if whole else 1.0

    def seconds(self) -> float | None:
        """Seconds left at the pace so far; None until there is a pace."""
        share = self.share
        if self.since is None or share < 0.005:
            return None
        return (time.monotonic() - self.since) * (1 - share) / share

    def __str__(self) -> str:
        left = self.seconds()
        if left is None:
            return f"{self.share:.0%} done"
        return f"{self.share:.0%} done, about {int(left) // 60}:{int(left) % 60:02} left"
