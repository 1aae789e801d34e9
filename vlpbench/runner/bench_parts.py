"""What each part of a step takes: its time on a device, and its work as it is counted on shapes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import Any

import torch

from vlpbench.contract.sealed import sealed
from vlpbench.data.joint_loader import Crossing
from vlpbench.runner.workbench import Workbench
from vlpbench.training.account import Account, Work, account
from vlpbench.training.fitting import is_out_of_memory
from vlpbench.training.joint import StepBatches, joint_loss
from vlpbench.training.learner import Learner, Term
from vlpbench.training.parted import PARTS, parted
from vlpbench.training.stopwatch import Taking

__all__ = ["STEP_PARTS", "Part", "account_of", "parts_of", "timed_parts"]

STEP_PARTS = (*PARTS[:-1], "optimiser", PARTS[-1])
"""In the order of a step; "rest" is what belongs to no other: teachers that follow, sums, gradients let go."""


@dataclass(frozen=True)
class Part:
    """One part of a step."""

    seconds: float | None
    """What it takes of a plain step; None where that did not fit into memory."""
    work: Work
    """What it does."""

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        work = self.work
        return {
            "seconds": self.seconds, "flops": work.flops, "forward_flops": work.forward,
            "backward_flops": work.backward, "moved_numbers": work.moved, "weights": work.weights,
        }


def account_of(bench: Workbench, host: Crossing) -> Account:
    """Count a step of the bench's learner with these batches; UserError where shapes alone do not tell."""

    def build() -> Learner:
        backbone, seed = bench.blueprint.build(bench.needs), bench.settings.seed
        return Learner(backbone, [Term(plan.weight, plan.build(backbone.spec, seed)) for plan in bench.terms])

    with sealed("measuring"):
        return account(build, host.to(torch.device("cpu")))


def parts_of(counted: Account, seconds: Mapping[str, float] | None) -> dict[str, Part]:
    """Both sides of each part that does anything; the seconds of parts add up to those of a step."""
    works = {**counted.parts, "optimiser": counted.optimiser}
    named = [part for part in STEP_PARTS if part in works or (seconds or {}).get(part)]
    return {
        part: Part(None if seconds is None else seconds.get(part, 0.0), works.get(part, Work())) for part in named
    }


def timed_parts(taking: Taking, views: StepBatches, times: int = 5) -> dict[str, float] | None:
    """Seconds of each part in the middle one of several plain steps; None where memory runs out.

    On a GPU parts are told apart by events in its queue, so nobody waits for it within a step.
    """
    try:
        found = [_once(taking, views) for _ in range(times + 1)][1:]
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        taking.optimizer.zero_grad(set_to_none=True)
        return None
    middle = median_low(sum(one.values()) for one in found)
    return next(one for one in found if sum(one.values()) == middle)


def _once(taking: Taking, views: StepBatches) -> dict[str, float]:
    learner, device = taking.learner, taking.device
    stamps, parts = [device.stamp()], list[str]()

    def heard(part: str) -> None:
        parts.append(part)
        stamps.append(device.stamp())

    taking.optimizer.zero_grad(set_to_none=True)
    with parted(learner, heard) as told:
        loss, _, carries = joint_loss(learner, views, device)
        told.backward(loss)
    taking.update()
    heard("optimiser")
    taking.follow(carries)
    heard("rest")
    seconds = dict.fromkeys(STEP_PARTS, 0.0)
    for part, (before, after) in zip(parts, pairwise(stamps), strict=True):
        seconds[part] += device.elapsed(before, after)
    return {part: spent for part, spent in seconds.items() if spent}
