"""A training between its steps: what comes before and after each, whoever takes it, alone or beside other seeds."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from vlpbench.config.settings import Optim
from vlpbench.data.ahead import OnDevice, crossed
from vlpbench.data.joint_loader import Batches, Crossing
from vlpbench.device import Device
from vlpbench.parts import ranks
from vlpbench.streams import seed_of
from vlpbench.training.course import COURSE, Course, Training
from vlpbench.training.learner import Learner
from vlpbench.training.pace import Stopped
from vlpbench.training.parallel import chance_of, from_first
from vlpbench.training.schedule import rate
from vlpbench.training.snapshot import Keeper
from vlpbench.training.underway import Underway

__all__ = ["Going", "Lesson", "NonFiniteLoss"]

LOGGED = 100
"""Points of a loss curve: figures cross from the device this many times, whatever the number of steps."""


class NonFiniteLoss(RuntimeError):
    """The loss became NaN or infinite, or the last weights did: `step` says when, `figures` what was last known."""

    def __init__(self, step: int, figures: Mapping[str, float], what: str = "the loss is not finite at") -> None:
        said = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        super().__init__(f"{what} step {step}; last figures: {said or 'none'}")
        self.step, self.figures = step, dict(figures)


@dataclass(frozen=True)
class Lesson:
    """What one training is made of."""

    learner: Learner
    """What is taught."""
    loader: Batches
    """Its steps."""
    optim: Optim
    """How it steps."""
    course: Course = COURSE
    """How it goes along."""


class Going:
    """One lesson, from its beginning or from the last checkpoint in the course's folder."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.learner, self.loader, self.course = lesson.learner.train(), lesson.loader, lesson.course
        self.run = Underway(lesson.learner, lesson.optim, self.course.watch)
        self.told.micro_batch = self.course.micro_batch
        self.keeper = self._keeper()

    @property
    def told(self) -> Training:
        """What it has to tell so far."""
        return self.run.told

    @property
    def flops_of_a_step(self) -> int | None:
        """Operations of a gradient in this process, counted on the first of all; None before it."""
        return self.told.flops // self.loader.steps // ranks.many() if self.run.done else None

    def _keeper(self) -> Keeper | None:
        """Who keeps the checkpoints; the last one is taken up."""
        course, loader = self.course, self.loader
        keeper = None
        if course.folder is not None:
            decided_by = self.run.decided_by(loader.steps, loader.seed, course.mark)
            keeper = Keeper(course.folder, decided_by, course.pace.every)
        snapshot = from_first(None if keeper is None else keeper.last())
        if snapshot is not None:
            self.run.go_on(snapshot)
            if course.heard is not None:
                logged = [row for row in self.told.curve if "lr" in row]
                course.heard(self.run.done, loader.steps, logged[-1] if logged else {})
        return keeper

    def steps(self, device: Device) -> Generator[tuple[Crossing, OnDevice], None, None]:
        """The batches of the steps that are left."""
        return crossed(iter(self.loader.from_step(self.run.done)), device)

    def chance(self) -> int:
        """The seed of the next step's dropout; its rate is set by the way."""
        for group in self.run.optimizer.param_groups:
            group["lr"] = rate(self.run.done, self.loader.steps, self.lesson.optim.lr, self.lesson.optim.warmup)
        return seed_of(self.loader.seed, chance_of("dropout"), self.run.done)

    def end_step(self, host: Crossing, figures: dict[str, Tensor], flops: int, micro_batch: int) -> None:
        """A step was taken, its figures are still on the device: log, tell, watch, keep.

        Raises NonFiniteLoss, and Stopped where the pace says so, with a checkpoint.
        """
        run, steps, course = self.run, self.loader.steps, self.course
        step, run.done = run.done, run.done + 1
        run.told.samples += host.samples
        run.told.targets += host.targets
        run.told.micro_batch = micro_batch
        run.told.flops = flops * steps * ranks.many()
        run.pending.append(figures["loss"])
        if run.done % max(1, steps // LOGGED) == 0 or run.done == steps:
            self._log(step, figures)
            if course.heard is not None:
                course.heard(run.done, steps, run.told.curve[-1])
        if course.watch is not None and (seen := course.watch(run.done)):
            run.told.curve.append({"step": step, **seen})
        # of several processes all stop after the same step, whichever was asked, and the first alone keeps it
        stop, due = ranks.agreed(course.pace.stop(), self.keeper is not None and self.keeper.due())
        if stop or due:
            self.keep()
        if stop:
            raise Stopped(f"stopped after step {run.done} of {steps}")

    def keep(self) -> None:
        """Keep a checkpoint of where it stands, if any are kept."""
        snapshot = self.run.snapshot()  # of weights in parts every process gives its own
        if self.keeper is not None:
            self.keeper.keep(snapshot)

    def end(self) -> Training:
        """What it left to tell; NonFiniteLoss where its weights are no numbers."""
        finite = all(bool(torch.isfinite(ranks.part(weight)).all()) for weight in self.learner.parameters())
        if any(ranks.agreed(not finite)):
            raise NonFiniteLoss(self.loader.steps - 1, self._figures(), "the weights are not finite after")
        self.learner.eval()
        return self.told

    def _log(self, step: int, figures: Mapping[str, Tensor]) -> None:
        """Fetch what has happened since the last point of the curve; the first loss that is not finite is the end.

        Other figures that are not finite are left out of the row: they decide nothing, and JSON has no word for them.
        """
        losses = torch.stack(self.run.pending).tolist()
        for offset, value in enumerate(losses):
            if not math.isfinite(value):
                raise NonFiniteLoss(step + 1 - len(losses) + offset, self._figures())
        fetched = {name: float(value) for name, value in figures.items()}
        row = {"step": step, "lr": self.run.optimizer.param_groups[0]["lr"]}
        row |= {name: value for name, value in fetched.items() if math.isfinite(value)}
        row["loss"] = sum(losses) / len(losses)
        self.told.curve.append(row)
        self.run.pending = []

    def _figures(self) -> dict[str, float]:
        """The figures of the last point of the curve."""
        curve = self.told.curve
        return {key: value for key, value in curve[-1].items() if key not in ("step", "lr")} if curve else {}
