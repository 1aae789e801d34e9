"""The loop: train, and one step of it. Pretraining and fine-tuning differ in what they hand to it, not in it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from vlpbench.config.settings import Optim
from vlpbench.data.joint_loader import Batches, Crossing
from vlpbench.device import Device
from vlpbench.streams import seed_of
from vlpbench.training.course import COURSE, Course, Heard, Training
from vlpbench.training.fitting import Fitting, guarded_step
from vlpbench.training.joint import StepBatches
from vlpbench.training.learner import Learner
from vlpbench.training.pace import Stopped
from vlpbench.training.schedule import rate
from vlpbench.training.snapshot import Keeper
from vlpbench.training.underway import Underway

__all__ = ["Heard", "NonFiniteLoss", "Training", "train"]

LOGGED = 100
"""Points of a loss curve: figures cross from the device this many times, whatever the number of steps."""


class NonFiniteLoss(RuntimeError):
    """The loss became NaN or infinite, or the last weights did: `step` says when, `figures` what was last known."""

    def __init__(self, step: int, figures: Mapping[str, float], what: str = "the loss is not finite at") -> None:
        said = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        super().__init__(f"{what} step {step}; last figures: {said or 'none'}")
        self.step, self.figures = step, dict(figures)


def train(learner: Learner, loader: Batches, optim: Optim, device: Device, course: Course = COURSE) -> Training:
    """Take all steps of the loader, from the beginning or from the last checkpoint in the course's folder.

    Raises NonFiniteLoss, and Stopped where the pace says so. The result is a function of the learner's weights, the
    loader and `optim` alone, however often the training was cut off and taken up again.
    """
    learner.train()
    run, keeper = _taken_up(learner, loader, optim, course)
    fitting = Fitting(learner, run.told.micro_batch, course.setting)
    if run.done:
        fitting.flops = run.told.flops // loader.steps  # counted on the first step of all
    every = max(1, loader.steps // LOGGED)
    for step, host in enumerate(loader.from_step(run.done), run.done):
        for group in run.optimizer.param_groups:
            group["lr"] = rate(step, loader.steps, optim.lr, optim.warmup)
        torch.manual_seed(seed_of(loader.seed, "dropout", step))
        figures = _step(run, host, fitting, device)
        run.told.flops = (fitting.flops or 0) * loader.steps
        if (step + 1) % every == 0 or step + 1 == loader.steps:
            _log(run.told, step, run.pending, figures, run.optimizer.param_groups[0]["lr"])
            run.pending = []
            if course.heard is not None:
                course.heard(step + 1, loader.steps, run.told.curve[-1])
        if course.watch is not None and (seen := course.watch(step + 1)):
            run.told.curve.append({"step": step, **seen})
        stop = course.pace.stop()
        if keeper is not None and (stop or keeper.due()):
            keeper.keep(run.snapshot())
        if stop:
            raise Stopped(f"stopped after step {step + 1} of {loader.steps}")
    if not all(bool(torch.isfinite(weight).all()) for weight in learner.parameters()):
        raise NonFiniteLoss(loader.steps - 1, _figures(run.told), "the weights are not finite after")
    learner.eval()
    return run.told


def _taken_up(learner: Learner, loader: Batches, optim: Optim, course: Course) -> tuple[Underway, Keeper | None]:
    """The training at its beginning, or where its last checkpoint was written; and who keeps the next."""
    run = Underway(learner, optim, course.watch)
    run.told.micro_batch = course.micro_batch
    if course.folder is None:
        return run, None
    keeper = Keeper(course.folder, run.decided_by(loader.steps, loader.seed, course.mark), course.pace.every)
    snapshot = keeper.last()
    if snapshot is not None:
        run.go_on(snapshot)
        if course.heard is not None:
            logged = [row for row in run.told.curve if "lr" in row]
            course.heard(run.done, loader.steps, logged[-1] if logged else {})
    return run, keeper


def _step(run: Underway, host: Crossing, fitting: Fitting, device: Device) -> dict[str, Tensor]:
    """One step, and what it adds to what is told; figures are still on the device."""
    figures = train_step(run.learner, host.to(device.torch), run.optimizer, run.optim.clip, device, fitting)
    run.done += 1
    run.told.samples += host.samples
    run.told.targets += host.targets
    run.told.micro_batch = fitting.micro_batch
    run.pending.append(figures["loss"])
    return figures


def train_step(
    learner: Learner, views: StepBatches, optimizer: torch.optim.Optimizer, clip: float, device: Device,
    fitting: Fitting,
) -> dict[str, Tensor]:
    """One step: gradients, clipping, update, teachers, queues. Returns figures that are still on the device."""
    optimizer.zero_grad(set_to_none=True)
    loss, figures, carries = fitting.gradient(learner, views, device)
    if clip > 0:
        figures["gradient"] = torch.nn.utils.clip_grad_norm_(learner.parameters(), clip)
    guarded_step(optimizer)
    learner.follow()
    for name, carry in carries.items():
        with torch.no_grad():
            learner.objective(name).after_step(carry)
    return {"loss": loss.detach(), **figures}


def _log(told: Training, step: int, pending: list[Tensor], figures: Mapping[str, Tensor], lr: float) -> None:
    """Fetch what has happened since the last point of the curve; the first loss that is not finite ends the training.

    Other figures that are not finite are left out of the row: they decide nothing, and JSON has no word for them.
    """
    losses = torch.stack(pending).tolist()
    for offset, value in enumerate(losses):
        if not math.isfinite(value):
            raise NonFiniteLoss(step + 1 - len(losses) + offset, _figures(told))
    fetched = {name: float(value) for name, value in figures.items()}
    row = {"step": step, "lr": lr} | {name: value for name, value in fetched.items() if math.isfinite(value)}
    row["loss"] = sum(losses) / len(losses)
    told.curve.append(row)


def _figures(told: Training) -> dict[str, float]:
    """The figures of the last point of the curve."""
    return {key: value for key, value in told.curve[-1].items() if key not in ("step", "lr")} if told.curve else {}
