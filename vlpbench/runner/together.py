"""Cells that differ by their seed alone learn together: the stages that each would find made, made as one model.

Pretraining first, then the fine-tune of each task. Nothing but stages is left, so that each cell's life goes on as if
another run had left them: one that could not begin, or has failed, does it alone and leaves its own record of why.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from vlpbench.config.task_name import parse_task
from vlpbench.contract.sealed import sealed
from vlpbench.device import Device
from vlpbench.grid import Cell, task_why_not
from vlpbench.records import StageFolder
from vlpbench.registry import Registry
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.hearing import Hearing, heard_as
from vlpbench.runner.pretraining import leave, left_by, lesson_of, stage_of
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.stopping import patiently
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench
from vlpbench.tasks.fine_tuning import begin
from vlpbench.tasks.suite import task_named
from vlpbench.training.course import Training
from vlpbench.training.going import Lesson
from vlpbench.training.pace import Pace
from vlpbench.training.together import train_together

__all__ = ["Learning", "learn_together"]


@dataclass
class Learning:
    """What the cells share while they learn, and what they have spent."""

    bench: Workbench
    """The first cell's: the others read its splits."""
    spent: dict[str, dict[str, float]] = field(default_factory=dict)
    """Cell's id -> stage as its clock calls it -> seconds: its share of those that all have taken."""


@dataclass(frozen=True)
class _Seed:
    """One of the cells."""

    cell: Cell
    bench: Workbench
    hearing: Hearing | None

    def stage(self, phase: str, results: Path) -> StageFolder | None:
        """Where it keeps what it learns in a phase."""
        return stage_of(self.cell, results) if phase == "pretrain" else fine_tune_of(self.cell, phase, results)

    def begin(self, phase: str, results: Path) -> tuple[Lesson, Callable[[Training], object]]:
        """Its training, and what keeps what was learnt."""
        stage, heard = self.stage(phase, results), heard_as(self.hearing, phase)
        assert stage is not None
        if phase == "pretrain":
            lesson = lesson_of(self.bench, stage, heard)
            return lesson, lambda told: leave(self.bench, stage, lesson, told)
        pretrained = left_by(stage_of(self.cell, results), self.bench)
        begun = begin(task_named(phase), trial_of(self.bench, phase, pretrained, stage, heard))
        assert begun.lesson is not None
        return begun.lesson, begun.end


def learn_together(
    cells: Sequence[Cell], sharing: Sharing, registry: Registry, device: Device, pace: Pace,
    hearing_of: Callable[[Cell], Hearing | None],
) -> Learning:
    """Make the stages in which these cells learn, all seeds as one model. Raises Stopped where the pace says so.

    What goes wrong with all of them at once is told, and left to each cell's own life.
    """
    bench = Workbench(cells[0], registry, device, pace)
    learning, seeds = Learning(bench), [_Seed(one, bench.beside(one), hearing_of(one)) for one in cells]
    phases = ["pretrain", *(task for task in cells[0].settings.tasks if _is_taught(task, cells[0], registry))]
    for phase in phases:
        try:
            with patiently(pace.stop):
                _make(phase, seeds, sharing, learning)
        except Exception as error:  # noqa: BLE001 (a stranger's code; each cell meets it again and records it)
            print(f"{phase}: the seeds go on alone: {error}", file=sys.stderr, flush=True)  # noqa: T201 (the log)
            return learning
    return learning


def _is_taught(task: str, cell: Cell, registry: Registry) -> bool:
    return parse_task(task).protocol == "fine-tune" and task_why_not(task, cell.settings, registry) is None


def _make(phase: str, seeds: Sequence[_Seed], sharing: Sharing, learning: Learning) -> None:
    """Make the stages of a phase that are not there."""
    found = [(stage, seed) for seed in seeds if (stage := seed.stage(phase, sharing.results)) and not stage.closed]
    if len(found) < 2:  # one is not together: its cell makes it by itself
        return
    with ExitStack() as held:
        for stage, _ in sorted(found, key=lambda one: one[0].path.name):  # one order for all who wait for each other
            held.enter_context(sharing.held(stage, len(found)))
        start = time.monotonic()
        begun = {seed.cell.id: seed.begin(phase, sharing.results) for stage, seed in found if not stage.closed}
        if len(begun) < 2:
            return
        with sealed(phase):
            ends = train_together([lesson for lesson, _ in begun.values()], learning.bench.device)
        for (_, close), end in zip(begun.values(), ends, strict=True):
            if isinstance(end, Training):
                close(end)
        for stage, _ in found:
            stage.note({"together": len(begun)})
        share = (time.monotonic() - start) / len(begun)
    for cell in begun:
        learning.spent.setdefault(cell, {})[phase] = share
