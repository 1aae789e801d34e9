"""Gradients summed over processes: in buckets of some 25 MB, sent while the rest of the backward pass is computed.

Torch's DistributedDataParallel wraps a module's `forward`, and an objective calls abilities of a backbone instead; it
also divides by the number of processes, and takes a weight that no process reached for one with a gradient of zero,
which an optimiser decays. So the buckets are our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from vlpbench.parts import ranks

__all__ = ["BYTES", "Sharing"]

BYTES = 25_000_000
"""Of one bucket, about: large enough for a network to be used well, small enough to be sent early."""


@dataclass
class _Bucket:
    """Weights whose gradients travel together."""

    numbers: list[int]
    """Which weights, by their number."""
    sent: Tensor | None = None
    """The gradients one behind the other, on their way or summed; None before they are sent in this step."""
    work: Any = None
    """What is waited for."""
    late: bool = False
    """Whether a gradient was added to after it was sent."""
    missing: set[int] = field(default_factory=set)
    """Weights whose gradient is still awaited in this step."""


class Sharing:
    """Sums the gradients of the same weights of several processes, step after step.

    Buckets are sent in one order in all processes, the weights that are reached last first. A bucket is sent early,
    inside `overlapped`, when all those of its weights have a gradient that had one in the step before, in any process.
    """

    def __init__(self, weights: Iterable[Tensor], size: int = BYTES) -> None:
        self.weights = [weight for weight in weights if weight.requires_grad]
        self.buckets = [_Bucket(numbers) for numbers in _packed(self.weights, size)]
        self._home = {number: bucket for bucket in self.buckets for number in bucket.numbers}
        self._expected: set[int] = set()
        self._next = 0
        self._open = False
        self._hooks: list[Any] = []

    def listen(self) -> None:
        """Hear of each gradient as it comes: without, nothing is sent before `finish`."""
        for number, weight in enumerate(self.weights):
            self._hooks.append(weight.register_post_accumulate_grad_hook(partial(self._arrived, number)))

    def close(self) -> None:
        """Listen to the weights no longer."""
        for hook in self._hooks:
            hook.remove()

    @contextmanager
    def overlapped(self, last: bool = True) -> Iterator[None]:
        """Around a backward pass; the `last` of a step sends what it has finished, the others only add up."""
        self._open = last and bool(self._expected and self._hooks) and ranks.many() > 1
        if self._open:
            for bucket in self.buckets:
                bucket.missing = self._expected.intersection(bucket.numbers)
        try:
            yield
        finally:
            self._open = False

    def finish(self) -> None:
        """Give every weight the sum of all processes' gradients.

        What has no gradient in any process keeps none: an optimiser passes over it, but lets a gradient of zero decay.
        """
        if ranks.many() == 1:
            return
        for bucket in self.buckets[self._next :]:  # what was expected is sent in every process before it is asked
            if self._expected.intersection(bucket.numbers):
                self._send(bucket)
        mine = [weight.grad is not None for weight in self.weights]
        said = ranks.agreed(*mine, *(bucket.late for bucket in self.buckets))
        reached, late = said[: len(mine)], said[len(mine) :]
        for bucket, again in zip(self.buckets, late, strict=True):
            if any(reached[number] for number in bucket.numbers) and (again or bucket.sent is None):
                self._send(bucket)
        for bucket in self.buckets:
            self._take(bucket, reached)
        self._expected = {number for number, found in enumerate(reached) if found}
        self._next = 0

    def _arrived(self, number: int, weight: Tensor) -> None:
        """A weight's gradient has been added to."""
        bucket = self._home[number]
        if bucket.sent is not None:
            bucket.late = True
        if not self._open:
            return
        bucket.missing.discard(number)
        while self._next < len(self.buckets) and not self.buckets[self._next].missing:
            self._send_expected(self.buckets[self._next])
            self._next += 1

    def _send_expected(self, bucket: _Bucket) -> None:
        if self._expected.intersection(bucket.numbers):
            self._send(bucket)

    def _send(self, bucket: _Bucket) -> None:
        if bucket.work is not None:
            bucket.work.wait()
        with torch.no_grad():
            parts = [_flat(self.weights[number]) for number in bucket.numbers]
            bucket.sent = torch.cat(parts)
        bucket.work = dist.all_reduce(bucket.sent, async_op=True)

    @torch.no_grad()
    def _take(self, bucket: _Bucket, reached: tuple[bool, ...]) -> None:
        """The sums into the weights' gradients, each laid out in memory as it was."""
        if bucket.sent is not None:
            bucket.work.wait()
            weights = [self.weights[number] for number in bucket.numbers]
            parts = bucket.sent.split([weight.numel() for weight in weights])
            into, sums = [], []
            for number, weight, part in zip(bucket.numbers, weights, parts, strict=True):
                if reached[number]:
                    weight.grad = torch.empty_like(weight) if weight.grad is None else weight.grad
                    into.append(weight.grad)
                    sums.append(part.view(weight.shape))
            if into:
                torch._foreach_copy_(into, sums)
        bucket.sent, bucket.work, bucket.late = None, None, False


def _packed(weights: list[Tensor], size: int) -> Iterator[list[int]]:
    """Numbers of neighbouring weights of one kind, the last ones first, up to `size` bytes or one weight."""
    held: list[int] = []
    room = size
    for number in reversed(range(len(weights))):
        weight = weights[number]
        needed = weight.numel() * weight.element_size()
        other = bool(held) and (weights[held[-1]].dtype, weights[held[-1]].device) != (weight.dtype, weight.device)
        if held and (needed > room or other):
            yield held
            held, room = [], size
        held.append(number)
        room -= needed
    if held:
        yield held


def _flat(weight: Tensor) -> Tensor:
    """A weight's gradient in the plain order of its numbers; zeros where it has none."""
    return weight.new_zeros(weight.numel()) if weight.grad is None else weight.grad.reshape(-1)
