"""The one way to time steps: the first by itself, then as many as tell the median and how far it spreads.

On a GPU each step leaves an event in the queue, which are read when all have passed: no step waits for the host.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import torch
from torch import Tensor

from vlpbench.config.settings import Optim
from vlpbench.device import Device
from vlpbench.training.fitting import Fitting, guarded_step
from vlpbench.training.joint import StepBatches
from vlpbench.training.learner import Learner
from vlpbench.training.loop import train_step
from vlpbench.training.optimizer import make_optimizer

__all__ = ["PATIENCE", "Patience", "Spread", "Taking", "Timed", "spread_of", "timed_steps"]

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """Seconds of equal pieces of work."""

    median: float
    """The middle one: half took longer."""
    low: float
    """The first quartile: a quarter was faster."""
    high: float
    """The third quartile: a quarter was slower."""
    count: int = 1
    """How many were timed."""

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"median": self.median, "low": self.low, "high": self.high, "count": self.count}


@dataclass(frozen=True)
class Patience:
    """How long to look."""

    warm: int = 2
    """Steps that are not counted, the first included."""
    least: int = 3
    """Steps that are, at least."""
    most: int = 20
    """The same, at most."""
    seconds: float = 2.0
    """What they shall take, as far as `least` and `most` let them."""


PATIENCE = Patience()
"""The usual one."""

@dataclass(frozen=True)
class Timed:
    """What came out."""

    warm: tuple[float, ...]
    """Seconds of each of the first steps, until all that it queued was done; at least one."""
    steps: Spread
    """Seconds of the steps after those; of the last warm one where there are no others."""

    @property
    def first(self) -> float:
        """Seconds of the first step of all."""
        return self.warm[0]

    @property
    def start(self) -> float:
        """Seconds that the first steps took beyond what as many later ones but one take: counting, compiling."""
        return max(self.first, sum(self.warm) - (len(self.warm) - 1) * self.steps.median)


class Taking:
    """A learner, its optimiser, and steps of any batches: what is timed is what a training does."""

    def __init__(self, learner: Learner, optim: Optim, device: Device, fitting: Fitting) -> None:
        self.learner, self.device, self.fitting, self.clip = learner.train(), device, fitting, optim.clip
        self.optimizer = make_optimizer(learner, optim)

    def step(self, views: StepBatches) -> None:
        """One step, its figures left where they are."""
        train_step(self.learner, views, self.optimizer, self.clip, self.device, self.fitting)

    def update(self) -> None:
        """The second half of a step by itself: clip the gradients that are there, and let them change the weights."""
        if self.clip > 0:
            torch.nn.utils.clip_grad_norm_(self.learner.parameters(), self.clip)
        guarded_step(self.optimizer)

    def follow(self, carries: Mapping[str, dict[str, Tensor]]) -> None:
        """What comes behind it: teachers, queues."""
        self.learner.follow()
        for name, carry in carries.items():
            with torch.no_grad():
                self.learner.objective(name).after_step(carry)


def timed_steps(
    step: Callable[[T], object], given: Iterable[T], device: Device, patience: Patience = PATIENCE
) -> Timed:
    """Take steps, each with the next of what is given, which is fetched within the time of its step.

    Fewer are counted where no more is given; nothing given is a ValueError.
    """
    supply = iter(given)
    warm: list[float] = []
    start = device.seconds()
    while len(warm) < max(1, patience.warm) and _took(step, supply):
        start, before = device.seconds(), start
        warm.append(start - before)
    if not warm:
        raise ValueError("no step was given to be timed")
    wanted = round(patience.seconds / max(1e-6, warm[-1]))
    stamps = [device.stamp()]
    while len(stamps) <= min(patience.most, max(patience.least, wanted)) and _took(step, supply):
        stamps.append(device.stamp())
    laps = [device.elapsed(before, after) for before, after in pairwise(stamps)]
    return Timed(tuple(warm), spread_of(laps or warm[-1:]))


def _took(step: Callable[[T], object], supply: Iterator[T]) -> bool:
    for one in supply:
        step(one)
        return True
    return False


def spread_of(seconds: Sequence[float]) -> Spread:
    """Median and quartiles of some durations."""
    if len(seconds) == 1:
        return Spread(seconds[0], seconds[0], seconds[0])
    low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Spread(middle, low, high, len(seconds))
