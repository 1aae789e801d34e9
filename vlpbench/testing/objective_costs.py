"""Checks of what a step costs beside PrefixLM's on the same trunk and batch, both measured in the same run.

They fail for a gross ratio alone, such as a loop over tokens in Python, or scores of all words for all pairs.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.rounds import corrupted, crossed, mean_loss, play
from vlpbench.testing.subject import Subject
from vlpbench.testing.tiny import ROOM, VOCABULARY, tiny_backbone
from vlpbench.types import Batch

__all__ = ["GROSS", "check_memory", "check_speed"]

GROSS = 30.0
"""So many times PrefixLM's time is more than any honest formula takes."""

_MUCH = 10.0
"""The same of memory, which is counted exactly."""

_SAMPLES, _LENGTH, _REAL = 16, ROOM - 1, 1024
"""B and T of the measured step, and the samples of a real one."""

_WORDS = 4096
"""V of the measured step: as tokenizers have them, so that scores of words weigh what they weigh."""

_LOOKS = 3
"""A clock is looked at so often; the best counts."""


def check_speed(subject: Subject) -> str:
    """A step, its surgery and its calls of torch (at 1,024 samples) take less than 30 times PrefixLM's; tells how much.

    Calls are what a GPU waits for: a loop over samples or tokens in Python shows in them long before it shows in time.
    """
    ours, theirs = _measured(subject)
    calls = ours.calls / theirs.calls
    if calls > GROSS:
        cause = f"a step of {_REAL} samples calls torch {ours.calls:,.0f} times, prefix-lm {theirs.calls:,.0f} times"
        raise CheckFailed(cause, "no loop over samples or tokens in Python: one operation on all of them")
    surgery = ours.surgery / theirs.surgery
    if surgery > GROSS and ours.surgery > 1e-3:
        cause = f"corrupt() takes {1e3 * ours.surgery:.1f} ms for 256 samples, {surgery:.0f} times prefix-lm's time"
        raise CheckFailed(cause, "no loop over samples or tokens in Python: numpy on whole arrays")
    seconds = ours.seconds / theirs.seconds
    if seconds > GROSS:
        cause = f"a step takes {1e3 * ours.seconds:.0f} ms, {seconds:.0f} times what prefix-lm's takes beside it"
        raise CheckFailed(cause, "encode each picture and text once; candidates share a context")
    return f"{seconds:.2g} times prefix-lm's time, {calls:.2g} times its calls of torch"


def check_memory(subject: Subject) -> str:
    """What a step keeps for its gradient, in bytes, is less than 10 times PrefixLM's; tells how much."""
    ours, theirs = _measured(subject)
    ratio = ours.kept / theirs.kept
    if ratio > _MUCH:
        cause = f"a step keeps {ours.kept / 2**20:,.1f} MiB for its gradient, {ratio:.0f} times what prefix-lm's keeps"
        raise CheckFailed(cause, "ask token_losses() instead of logits(), and compare pairs a block at a time")
    return f"{ratio:.2g} times what prefix-lm's keeps for its gradient"


def _measured(subject: Subject) -> tuple[_Cost, _Cost]:
    """The cost of a step of this objective, and of PrefixLM's."""
    if subject.make is not None:
        raise CheckSkipped("own-backbone")
    beside = subject.trunk if {"context", "decode"} <= subject.offers else EncoderDecoder
    reference = Subject(PrefixLM, PrefixLM.config_class(), (beside,))
    return _Cost(subject), _Cost(reference)


@dataclass
class _Cost:
    """What a step of one objective costs, each number measured when it is asked for."""

    subject: Subject

    def __post_init__(self) -> None:
        vocabulary = replace(VOCABULARY, size=_WORDS)
        needs = self.subject.cls.needs_with(self.subject.config)
        self.backbone = tiny_backbone(needs, self.subject.trunk, vocabulary=vocabulary)
        if self.subject.cls.teacher is not None:
            self.subject.teach(self.backbone, 100)
        self.vocabulary = vocabulary
        self.objective = self.subject.objective(self.backbone)

    def _batch(self, samples: int) -> Batch:
        whole = -(-samples // self.subject.group) * self.subject.group
        host = self.subject.hosts(samples=whole, length=_LENGTH)[self.subject.kinds[0]]
        return replace(host, vocabulary=self.vocabulary)

    def _losses(self, samples: int) -> tuple[Tensor, int]:
        """The loss of a step, and of how many samples."""
        batch = crossed(corrupted(self.subject, self._batch(samples)))
        return mean_loss(play(self.objective, self.backbone, batch)), len(batch)

    @cached_property
    def seconds(self) -> float:
        """Of one step forth and back, with its surgery."""

        def step() -> None:
            loss = self._losses(_SAMPLES)[0]
            if loss.requires_grad:
                loss.backward()

        return _best(step)

    @cached_property
    def surgery(self) -> float:
        """Seconds of `corrupt` on 256 samples."""
        host = self._batch(256)
        return _best(lambda: corrupted(self.subject, host))

    @cached_property
    def calls(self) -> float:
        """Operations of torch in encode and loss, as many as a batch of 1,024 samples would take."""
        few, many = (self._counted(samples) for samples in (_SAMPLES // 2, _SAMPLES))
        slope = max(0.0, (many[0] - few[0]) / max(1, many[1] - few[1]))
        return many[0] + slope * (_REAL - many[1])

    def _counted(self, samples: int) -> tuple[int, int]:
        with _Calls() as seen, torch.no_grad():
            rows = self._losses(samples)[1]
        return seen.calls, rows

    @cached_property
    def kept(self) -> int:
        """Bytes that autograd keeps between forth and back, weights and the batch left out."""
        mine = {one.untyped_storage().data_ptr() for one in (*self.backbone.parameters(), *self.objective.parameters())}
        found: dict[int, int] = {}
        alive: list[Tensor] = []  # so that no place in memory is counted for two

        def keep(x: Tensor) -> Tensor:
            storage = x.untyped_storage()
            if storage.data_ptr() not in mine and storage.data_ptr() not in found:
                found[storage.data_ptr()] = storage.nbytes()
                alive.append(x.detach())
            return x

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
            self._losses(_SAMPLES)
        return max(1, sum(found.values()))


class _Calls(TorchDispatchMode):
    """Counts operations."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count, and do what was asked for."""
        self.calls += 1
        return func(*args, **(kwargs or {}))


def _best(work: Callable[[], Any]) -> float:
    """The shortest of several times; the collector of garbage waits."""
    was = gc.isenabled()
    gc.disable()
    try:
        taken = []
        for _ in range(_LOOKS):
            start = perf_counter()
            work()
            taken.append(perf_counter() - start)
    finally:
        if was:
            gc.enable()
    return min(taken)
