"""A process that builds a cell's pretraining, or that of several seeds as one, and takes its steps when told to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from vlpbench.contract.sealed import sealed
from vlpbench.data.ahead import crossed
from vlpbench.data.joint_loader import Batches, Crossing
from vlpbench.device import Device, prepare_process
from vlpbench.errors import UserError
from vlpbench.grid import Cell
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.batches import pretraining_loader
from vlpbench.runner.child import quietly
from vlpbench.runner.memory import held_bytes
from vlpbench.runner.pretraining import learner_of
from vlpbench.runner.workbench import Workbench
from vlpbench.training.fitting import Fitting
from vlpbench.training.pace import PACE, Pace
from vlpbench.training.seed_axis import SeedAxis
from vlpbench.training.stopwatch import Taking

__all__ = ["Ready", "ToStep", "Took", "take_steps"]

WARM = 3
"""Steps that are taken before anything is measured: kernels are chosen, memory is asked for."""
LOOK = 0.1
"""Seconds between two looks at the clock, for which a GPU waits."""
CONTEXT = 600 * 2**20
"""Bytes of a GPU that a process holds beside what torch keeps: its context and the libraries' kernels, about."""


@dataclass(frozen=True)
class ToStep:
    """What a stepping process is to do."""

    cells: tuple[Cell, ...]
    """One cell, or several that differ by their seed alone and learn together."""
    plugins: Sequence[Path]
    """Single plugin files to load."""
    blocked: Sequence[str]
    """Plugins to leave alone."""
    device: str
    """ "cpu" or "cuda"."""
    pace: Pace = PACE
    """How it goes about its work."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of its own: its folders, its GPU."""


@dataclass(frozen=True)
class Ready:
    """What a process says when it can begin."""

    held: int
    """Bytes that it holds of the GPU, or of the machine."""
    free: int = 0
    """Bytes of the GPU that nobody holds, beside it; 0 on a CPU."""
    whole: int = 0
    """Bytes that the GPU has; 0 on a CPU."""


@dataclass(frozen=True)
class Took:
    """Steps that were taken, of all of its seeds together."""

    steps: int
    """How many."""
    seconds: float
    """How long they took."""


def take_steps(order: ToStep, pipe: Connection) -> None:
    """Say Ready, then Took for each number of seconds that is asked for, until that is 0; a sentence of what failed."""
    os.environ.update(order.environment)
    with quietly():
        device = Device(order.device)
        prepare_process(device)
        try:
            with sealed("measuring"):
                steps = _Steps(order, load_registry(order.plugins, order.blocked), device)
                pipe.send(steps.ready())
                while (seconds := pipe.recv()) > 0:
                    pipe.send(steps.take(seconds))
        except EOFError:  # nobody listens any more
            return
        except Exception as wrong:  # noqa: BLE001 (a plugin's fault is a result here)
            pipe.send(wrong.cause if isinstance(wrong, UserError) else f"{type(wrong).__name__}: {wrong}")


class _Steps:
    """The steps of one model, or of several as one, without end."""

    def __init__(self, order: ToStep, registry: Registry, device: Device) -> None:
        self.device = device
        benches = [Workbench(cell, registry, device, order.pace) for cell in order.cells]
        self.supply = [crossed(_endless(pretraining_loader(bench)), device) for bench in benches]
        learners, optim = [learner_of(bench).train() for bench in benches], benches[0].settings.optim
        self.step: Callable[[], object]
        if len(learners) == 1:
            fitting = Fitting(learners[0], benches[0].settings.budget.micro_batch, pace=order.pace)
            taking = Taking(learners[0], optim, device, fitting)
            self.step = lambda: taking.step(next(self.supply[0])[1])
        else:
            axis = SeedAxis(learners, optim, device)
            self.step = lambda: axis.step([next(one)[1] for one in self.supply], range(len(learners)))
        for _ in range(WARM):
            start = device.seconds()
            self.step()
        self.each = max(1, int(LOOK / max(1e-6, device.seconds() - start)))

    def ready(self) -> Ready:
        """What it holds now that it has taken its first steps."""
        room = self.device.room()
        if room is None:
            return Ready(held_bytes(os.getpid()))
        return Ready(self.device.held_bytes() + CONTEXT, *room)

    def take(self, seconds: float) -> Took:
        """Steps for so many seconds, at least one look at the clock long."""
        start, steps = self.device.seconds(), 0
        while (took := self.device.seconds() - start) < seconds or not steps:
            for _ in range(self.each):
                self.step()
            steps += self.each
        return Took(steps, took)


def _endless(loader: Batches) -> Iterator[Crossing]:
    """The loader's steps again and again."""
    while True:
        yield from loader.from_step(0)
