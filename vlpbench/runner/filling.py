"""How much of a GPU one step of a cell fills, told from its settings: nothing is trained, nothing is opened."""

from __future__ import annotations

import dataclasses

import torch

from vlpbench.config.task_name import parse_task
from vlpbench.contract.abilities import Backbone
from vlpbench.device import Device
from vlpbench.grid import Cell
from vlpbench.registry import Registry
from vlpbench.runner.synthetic import synthetic_bench
from vlpbench.runner.task_size import plan_at
from vlpbench.runner.workbench import Workbench
from vlpbench.training.cost import parameters

__all__ = ["FULL", "Filling", "filling_of"]

FULL = 4e12
"""Floating-point operations of a step that fills a GPU by itself: 20 ms at 200 TFLOP/s.

A step that is not captured starts one to three thousand kernels, at about 5 us each: less work waits for these.
"""

PASSES = 6
"""Operations of a weight at each place of a sample: multiply and add, once forward and twice backward."""


@dataclasses.dataclass(frozen=True)
class Filling:
    """What one step is, about: how it compares with `FULL`, and with other cells."""

    weights: int
    """Parameters of the backbone."""
    samples: int
    """Of one step: of the pretraining, or of the largest fine-tune where there is none or pictures are larger there."""
    places: int
    """Image tokens and text tokens of a sample."""

    @property
    def work(self) -> float:
        """Floating-point operations of a step as if each weight met each place once: within a factor of three or so."""
        return PASSES * float(self.weights) * self.samples * self.places

    @property
    def sentence(self) -> str:
        """Why such a cell shares no GPU."""
        said = f"{self.weights / 1e6:.0f} M parameters x {self.samples} samples"
        return f"a step of {said} fills a GPU by itself ({self.work / 1e12:.0f} of {FULL / 1e12:.0f} TFLOP)"


def filling_of(cell: Cell, registry: Registry) -> Filling:
    """Count a cell's weights without making them. Raises what a stranger's constructor raises."""
    bench = synthetic_bench(cell, registry, Device("cpu"))
    backbone, settings = _sized(bench), cell.settings
    views = max((plan.objective.views for plan in bench.terms), default=1)
    steps = [(settings.budget.batch * views, backbone.spec)] if bench.terms else []
    for task in settings.tasks:
        own = bench.size_of(task) != settings.image.size
        if parse_task(task).protocol == "fine-tune" and (own or not bench.terms):
            steps.append((settings.protocol[task].batch, plan_at(bench, task).spec if own else backbone.spec))
    counted = [
        (samples, spec.grid[0] * spec.grid[1] + settings.text.length) for samples, spec in steps or [(1, backbone.spec)]
    ]
    return Filling(parameters(backbone), *max(counted, key=lambda one: one[0] * one[1]))


def _sized(bench: Workbench) -> Backbone:
    """The backbone without numbers; with them where a constructor cannot do without."""
    abilities = bench.needs or bench.tasks_need
    try:
        with torch.device("meta"):
            return bench.blueprint.build(abilities)
    except RuntimeError:
        return bench.blueprint.build(abilities)
