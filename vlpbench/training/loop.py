"""The loop: train, and one step of it. Pretraining and fine-tuning differ in what they hand to it, not in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vlpbench.config.settings import Optim
from vlpbench.data.joint_loader import Batches
from vlpbench.device import Device
from vlpbench.streams import seed_of
from vlpbench.training.cost import counted_flops
from vlpbench.training.gradient import check_micro_batch, joint_gradient
from vlpbench.training.joint import StepBatches
from vlpbench.training.learner import Learner
from vlpbench.training.optimizer import make_optimizer
from vlpbench.training.schedule import rate

__all__ = ["Heard", "NonFiniteLoss", "Training", "train"]

Heard = Callable[[int, int, Mapping[str, float]], None]
"""Told the steps done, the steps in all, and the last figures."""

LOGGED = 100
"""Points of a loss curve: figures cross from the device this many times, whatever the number of steps."""


class NonFiniteLoss(RuntimeError):
    """The loss became NaN or infinite, or the last weights did: `step` says when, `figures` what was last known."""

    def __init__(self, step: int, figures: Mapping[str, float], what: str = "the loss is not finite at") -> None:
        said = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        super().__init__(f"{what} step {step}; last figures: {said or 'none'}")
        self.step, self.figures = step, dict(figures)


@dataclass
class Training:
    """What a training left to tell."""

    curve: list[dict[str, float]] = field(default_factory=list)
    """One row for each logged step: step, lr and the figures."""
    flops: int = 0
    """Floating-point operations of all steps, forward and backward, counted on the first."""
    samples: int = 0
    """Samples seen, repeats included."""
    targets: int = 0
    """Terms that the losses were means of: target tokens, or pairs."""


def train(
    learner: Learner,
    loader: Batches,
    optim: Optim,
    device: Device,
    heard: Heard | None = None,
    watch: Callable[[int], Mapping[str, float] | None] | None = None,
    micro_batch: int = 0,
) -> Training:
    """Take all steps of the loader. `watch(done)` is called after each step and may look at the learner; what it gives
    is a row of the curve. `micro_batch` samples go through the model at once, 0 for all.

    Raises NonFiniteLoss. The result is a function of the learner's weights, the loader and `optim` alone.
    """
    check_micro_batch(learner, micro_batch)
    learner.train()
    optimizer = make_optimizer(learner, optim)
    told, pending = Training(), []
    every = max(1, loader.steps // LOGGED)
    for step, host in enumerate(loader):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, loader.steps, optim.lr, optim.warmup)
        torch.manual_seed(seed_of(loader.seed, "dropout", step))
        views = host.to(device.torch)
        if step == 0:
            with counted_flops() as flops:
                figures = train_step(learner, views, optimizer, optim.clip, device, micro_batch)
            told.flops = flops() * loader.steps
        else:
            figures = train_step(learner, views, optimizer, optim.clip, device, micro_batch)
        told.samples += host.samples
        told.targets += host.targets
        pending.append(figures["loss"])
        if (step + 1) % every == 0 or step + 1 == loader.steps:
            _log(told, step, pending, figures, optimizer.param_groups[0]["lr"])
            pending = []
            if heard is not None:
                heard(step + 1, loader.steps, told.curve[-1])
        seen = watch(step + 1) if watch is not None else None
        if seen:
            told.curve.append({"step": step, **seen})
    if not all(bool(torch.isfinite(weight).all()) for weight in learner.parameters()):
        raise NonFiniteLoss(loader.steps - 1, _figures(told), "the weights are not finite after")
    learner.eval()
    return told


def train_step(
    learner: Learner, views: StepBatches, optimizer: torch.optim.Optimizer, clip: float, device: Device,
    micro_batch: int = 0,
) -> dict[str, Tensor]:
    """One step: gradients, clipping, update, teachers, queues. Returns figures that are still on the device."""
    optimizer.zero_grad(set_to_none=True)
    loss, figures, carries = joint_gradient(learner, views, device, micro_batch)
    if clip > 0:
        figures["gradient"] = torch.nn.utils.clip_grad_norm_(learner.parameters(), clip)
    optimizer.step()
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
