"""A step that does not fit into memory is done again with fewer samples at once; the update is the same.

Samples that do not see each other are added up, and where `loss` sees all of them their features are cached
(`training.gradient`), so that pieces of any size give the gradient of the whole but for rounding. Dropout, if a model
has any, is drawn piece by piece from the step's seed: other masks than the whole batch's, the same in every such run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from math import ceil, gcd, lcm
from typing import TypeVar

import torch
from torch import Tensor

from vlpbench.device import Device
from vlpbench.parts import ranks
from vlpbench.training.compiled import Compiling
from vlpbench.training.cost import counted_flops
from vlpbench.training.gradient import check_micro_batch, joint_gradient, sees_the_batch, together
from vlpbench.training.joint import StepBatches, Terms, Views, terms_of
from vlpbench.training.learner import Learner
from vlpbench.training.pace import PACE, Pace
from vlpbench.training.recompute import Recomputing
from vlpbench.training.shortage import OutOfMemory, is_out_of_memory, let_go, room, stated
from vlpbench.training.undoing import Undoing

__all__ = ["Fitting", "OutOfMemory", "asked_with_less", "guarded_step", "is_out_of_memory"]

T = TypeVar("T")
Joint = tuple[Tensor, dict[str, Tensor], dict[str, dict[str, Tensor]]]
"""What `joint_gradient` gives: the loss, figures, and what terms carry."""


class Fitting:
    """Gradients of steps that may be too large, one after another; a size once found too large is not tried again."""

    def __init__(
        self, learner: Learner, micro_batch: int = 0, setting: str = "budget.batch", pace: Pace = PACE, steps: int = 0
    ) -> None:
        """For `steps` that are still to be taken, 0 where nobody knows.

        `pace` says whether they are compiled, and whether layers are computed again.
        """
        check_micro_batch(learner, micro_batch)
        self.micro_batch = micro_batch
        """Samples that go through at once, 0 for all; smaller than what was asked for where memory ran out."""
        self.setting = setting
        """The setting that decides the size of a batch, for what a person is told."""
        self.flops: int | None = None
        """Floating-point operations of the first gradient, without attempts that failed; None before it."""
        self.compiling = Compiling(pace.compiled, steps)
        """How the terms of each step are computed."""
        self._recomputing = Recomputing(learner, learner.teachers) if pace.recompute else None
        self._undoing = Undoing(learner)

    def gradient(self, learner: Learner, views: StepBatches, device: Device) -> Joint:
        """`joint_gradient` of a learner without gradients, in pieces that fit.

        The loop has seeded torch for this step; every attempt starts from that seed, and from buffers as they were.
        Raises OutOfMemory where no smaller piece gives the same update.
        """
        chance, asked = torch.initial_seed(), self.micro_batch
        terms = terms_of if self.flops is None else self.compiling.next(learner, device, not self.micro_batch)
        self._undoing.begin()
        while (found := self._attempt(learner, views, device, self.micro_batch, terms)) is None:
            self._undo(learner, chance)
            if terms is not terms_of:  # what a compiled step lacked, a plain one need not lack
                terms = terms_of
                continue
            if ranks.many() > 1:  # the others are already waiting for this process's share
                cause = f"out of memory in one of {ranks.many()} processes{room(device)}"
                raise OutOfMemory(cause, "set budget.micro_batch to less than goes through now")
            smaller = None if sees_the_batch(learner) else smaller_pieces(learner, views, self.micro_batch)
            if smaller is None:
                raise self._refusal(learner, views, device, chance)
            self.micro_batch = smaller
        self._undoing.end()
        if self.micro_batch != asked:
            _tell(asked or _largest(views), self.micro_batch)
        return found

    def _attempt(
        self, learner: Learner, views: StepBatches, device: Device, micro_batch: int, terms: Terms = terms_of
    ) -> Joint | None:
        """One try; None where memory ran out or a compiled step failed, with all that it held set free."""
        try:
            with self._recomputing or nullcontext():
                if self.flops is not None:
                    return joint_gradient(learner, views, device, micro_batch, terms)
                return self._counted(learner, views, device, micro_batch)
        except Exception as error:
            if terms is not terms_of:
                self.compiling.give_up(error)
            elif not is_out_of_memory(error):
                raise
            let_go(error)
        return None

    def _counted(self, learner: Learner, views: StepBatches, device: Device, micro_batch: int) -> Joint:
        """A gradient whose work is counted, but for layers that are computed again."""
        again = self._recomputing
        if again is not None:
            again.flops, again.counting = 0, True
        try:
            with counted_flops() as flops:
                found = joint_gradient(learner, views, device, micro_batch)
        finally:
            if again is not None:
                again.counting = False
        self.flops = flops() - (0 if again is None else again.flops)
        return found

    def _undo(self, learner: Learner, chance: int) -> None:
        """No gradients, the seed and the buffers of the step's beginning."""
        learner.zero_grad(set_to_none=True)
        torch.manual_seed(chance)
        if lost := self._undoing.undo():
            raise OutOfMemory(
                f"out of memory, and the step cannot be done again: its first attempt wrote the buffer {lost!r}",
                "set budget.micro_batch to less than the batch from the start, or write buffers in after_step() alone",
            )

    def _refusal(self, learner: Learner, views: StepBatches, device: Device, chance: int) -> OutOfMemory:
        """What to tell: how many rows of each batch do fit is found by trying."""
        batch, group = _largest(views), lcm(*together(learner, views).values())
        fits, flops = batch // 2, self.flops
        while fits and (fits % group or not self._fits(learner, views, device, fits)):
            fits //= 2
            self._undo(learner, chance)
        self._undo(learner, chance)
        self.flops = flops
        if fits:
            cause, remedy = f"a batch of {batch} does not fit, {fits} does", f"set {self.setting} = {fits}"
            if sees_the_batch(learner):
                remedy += ", or take a size with group norm, which can go through in micro-batches"
        else:
            cause = "not even one sample fits" if group == 1 else f"not even {group} samples, one group, fit"
            remedy = "take a smaller size or picture" if group == 1 else "take a smaller size, picture or group"
        return OutOfMemory(f"out of memory: {cause}{room(device)}", remedy, fits)

    def _fits(self, learner: Learner, views: StepBatches, device: Device, rows: int) -> bool:
        """Whether a gradient of the first rows of each batch goes through."""
        fewer = {kind: {name: view.rows(slice(rows)) for name, view in some.items()} for kind, some in views.items()}
        try:
            return self._attempt(learner, fewer, device, self.micro_batch) is not None
        except Exception:  # noqa: BLE001 (batch norm of one value, a group cut: so few rows are no batch to advise)
            return False


def smaller_pieces(learner: Learner, views: StepBatches, micro_batch: int) -> int | None:
    """The micro-batch after halving, in whole groups; None where no piece would become smaller."""
    groups = together(learner, views)
    largest = _largest(views)

    def pieces(size: int) -> list[int]:
        return [min(_samples(some), ceil(size / groups[kind]) * groups[kind]) for kind, some in views.items()]

    size = start = min(micro_batch or largest, largest)
    while size > 1:
        size //= 2
        if pieces(size) != pieces(start):
            common = gcd(*groups.values())
            return ceil(size / common) * common  # the same pieces, told as what they are
    return None


def asked_with_less(ask: Callable[[Pace], T], pace: Pace, own: int = 256) -> T:
    """What `ask` gives, asked with half as many at once whenever memory runs out.

    `own` is how many it asks at once where `pace.at_once` is 0. Raises OutOfMemory where not even one goes through.
    """
    asked = pace
    while True:
        try:
            found = ask(asked)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            let_go(error)
        else:
            if asked is not pace:
                _tell(pace.at_once or own, asked.at_once)
            return found
        at_once = (asked.at_once or own) // 2
        if not at_once:
            raise OutOfMemory("out of memory: not even one at once can be asked", "take a smaller size or picture")
        asked = replace(asked, at_once=at_once)


def guarded_step(optimizer: torch.optim.Optimizer) -> None:
    """The optimiser's step; where memory runs out in it, the error says so.

    It is not done again: no smaller micro-batch makes it smaller, and weights may be half updated.
    """
    remedy = "take a smaller size, or fewer cells at once on a device"
    with stated("the optimiser's two means of each weight do not fit beside weights and gradients", remedy):
        optimizer.step()


def _largest(views: StepBatches) -> int:
    return max(map(_samples, views.values()))


def _samples(views: Views) -> int:
    return len(next(iter(views.values())))


def _tell(before: int, now: int) -> None:
    said = f"out of memory with {before} at once; from here on {now} go through at once, and the result is the same"
    print(said, file=sys.stderr, flush=True)  # noqa: T201 (the cell's log)
