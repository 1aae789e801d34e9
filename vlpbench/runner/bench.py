"""How fast one cell's pretraining is on this device: feeding, the step, both; what its parts take; how near the peak.

The figures are of steps as a training takes them: the same loader, the same crossing, the same update.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vlpbench.contract.sealed import sealed
from vlpbench.data.ahead import OnDevice, crossed
from vlpbench.data.joint_loader import Crossing, JointLoader
from vlpbench.device import Device
from vlpbench.runner.bench_parts import Part, account_of, parts_of, timed_parts
from vlpbench.runner.pretraining import learner_of
from vlpbench.runner.workbench import Workbench
from vlpbench.training.account import Account
from vlpbench.training.fitting import Fitting
from vlpbench.training.stopwatch import Patience, Spread, Taking, Timed, timed_steps

__all__ = ["PATIENCE", "Speeds", "bench"]

PATIENCE = Patience(warm=3, least=5, most=100, seconds=5.0)
"""How long each of the three is looked at: feeding, the step, both."""

_DECIDES = 10
"""Steps after which "auto" has compiled, or decided not to."""
_LR = 1e-6
"""A learning rate that leaves weights nearly as they were drawn: every step meets numbers like the last one's."""


@dataclass(frozen=True)
class Speeds:
    """What was found."""

    objective: str
    """A weighted sum."""
    backbone: str
    """Stem, trunk and size."""
    inputs: str
    """ "made up", or the cell whose data they are."""
    device: str
    """Its model."""
    precision: str
    """What matrices are multiplied in."""
    compiled: bool
    """Whether steps were compiled."""
    pairs: int
    """Pairs of a step."""
    texts: int
    """Texts without pictures of a step."""
    images: int
    """Pictures that go through in a step: each pair's, as often as it is seen."""
    micro_batch: int
    """Samples that went through at once, 0 for all."""
    account: Account
    """The step's work."""
    peak: float
    """FLOP a second of the fastest matrix product, measured here and now."""
    step: Timed
    """Steps of one batch that lies on the device."""
    loader: Spread
    """Batches alone, on the host."""
    both: Spread
    """Steps of batches as they come."""
    parts: Mapping[str, Part]
    """Each part of a plain step."""
    peak_bytes: int
    """Most memory held while stepping: of the GPU, or of this process."""

    @property
    def tflops(self) -> float:
        """TFLOP a second, of the step alone."""
        return self.account.flops / self.step.steps.median / 1e12

    def told(self) -> dict[str, Any]:
        """One JSON object."""
        step, fed = self.step.steps.median, self.both.median
        return {
            "objective": self.objective, "backbone": self.backbone, "inputs": self.inputs, "device": self.device,
            "precision": self.precision, "compiled": self.compiled, "pairs": self.pairs, "texts": self.texts,
            "images": self.images, "micro_batch": self.micro_batch,
            "pairs_per_second": self.pairs / step, "images_per_second": self.images / step,
            "texts_per_second": self.texts / step, "fed_pairs_per_second": self.pairs / fed,
            "fed_images_per_second": self.images / fed,
            "tflops": self.tflops, "peak_tflops": self.peak / 1e12, "share_of_peak": self.tflops * 1e12 / self.peak,
            "flops_per_step": self.account.flops, "peak_bytes": self.peak_bytes, "bytes": self.account.bytes(),
            "parameters": self.account.weights, "first_step_seconds": self.step.first,
            "start_seconds": self.step.start, "step_seconds": self.step.steps.told(),
            "loader_seconds": self.loader.told(), "both_seconds": self.both.told(),
            "parts": {name: part.told() for name, part in self.parts.items()},
        }


def bench(
    work: Workbench, loader: JointLoader, inputs: str, heard: Callable[[str], None], patience: Patience = PATIENCE
) -> Speeds:
    """Measure one cell; `heard` is told what comes next. Nothing is left anywhere."""
    device, settings = work.device, work.settings
    heard("counting operations")
    host = loader.host(0)
    counted = account_of(work, host)
    heard("the fastest matrix product of this device")
    peak = device.matmul_peak()
    device.release()
    heard("the model")
    with sealed("measuring"):
        fitting = Fitting(learner := learner_of(work), settings.budget.micro_batch, pace=work.pace, steps=_steps(work))
        taking = Taking(learner, replace(settings.optim, lr=_LR), device, fitting)
        heard("batches alone")
        feeding = _feeding(loader, patience)
        heard("steps alone")
        device.forget_peak()
        views = host.to(device.torch)
        alone = timed_steps(taking.step, itertools.repeat(views), device, _patient(patience, work))
        heard("both together")
        both = _fed(taking, loader, device, patience)
        held = device.peak_bytes()
        heard("each part of a step")
        seconds = timed_parts(taking, views)
    sizes = _sizes(views)
    return Speeds(
        settings.objective, settings.backbone, inputs, device.name, str(device.precision).removeprefix("torch."),
        bool(fitting.compiling.graphs), *sizes, fitting.micro_batch, counted, peak, alone, feeding, both,
        parts_of(counted, seconds), held,
    )


def _steps(work: Workbench) -> int:
    """How many steps the cell's pretraining has, by which "auto" decides whether compiling pays."""
    return max(1, work.settings.budget.samples // work.settings.budget.batch)


def _patient(patience: Patience, work: Workbench) -> Patience:
    """Long enough that what is to be compiled is compiled before anything counts."""
    waits = work.pace.compiled == "auto" and work.device.kind != "cpu"
    return replace(patience, warm=max(patience.warm, _DECIDES if waits else 0))


def _feeding(loader: JointLoader, patience: Patience) -> Spread:
    with contextlib.closing(loader.from_step(0)) as batches:
        return timed_steps(lambda _: None, batches, Device("cpu"), patience).steps


def _fed(taking: Taking, loader: JointLoader, device: Device, patience: Patience) -> Spread:
    def step(given: tuple[Crossing, OnDevice]) -> None:
        taking.step(given[1])

    with contextlib.closing(crossed(iter(loader.from_step(0)), device)) as batches:
        return timed_steps(step, batches, device, patience).steps


def _sizes(views: OnDevice) -> tuple[int, int, int]:
    """Pairs, texts and pictures of a step."""
    pairs, texts = (len(next(iter(views[kind].values()))) if kind in views else 0 for kind in ("pairs", "texts"))
    seen = max((1 + len(one.others) for one in views.get("pairs", {}).values()), default=0)
    return pairs, texts, pairs * seen
