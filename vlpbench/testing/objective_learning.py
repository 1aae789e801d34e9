"""Checks of training: batches can be learnt by heart, and micro-batches change nothing."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.learning import Study
from vlpbench.testing.rounds import far
from vlpbench.testing.subject import Subject

__all__ = ["check_learns_by_heart", "check_micro_batches", "compare_gradients"]

_STEPS, _MOST = 40, 80
"""Steps after which the loss is looked at, again and again, and after which it must have fallen: a formula that weighs
its own terms may rise at first."""


def check_learns_by_heart(subject: Subject) -> None:
    """Two batches, seen again and again in a few dozen AdamW steps, have a clearly smaller loss in the end."""
    study = Study.of(subject)
    told: list[float] = []
    while len(told) < _MOST:
        told += [study.learn() for _ in range(_STEPS)]
        start, end = sum(told[:2]) / 2, sum(told[-4:]) / 4
        if end < start - 0.05 * abs(start):
            return
    cause = f"two batches were seen {_MOST // 2} times each, and the loss went from {start:.4g} to {end:.4g}"
    raise CheckFailed(cause, "is the sign right, does a gradient reach the backbone?")


def check_micro_batches(subject: Subject) -> None:
    """Cut into pieces of one, of three and of half (whole groups where coupled), loss and gradient are the whole's."""
    study = Study.of(subject)
    samples = min(len(batch) for batch in study.batches[0].values())
    group = subject.group
    whole = study.gradient()
    sizes = {size * group for size in (1, 3)} | {max(1, samples // group // 2) * group}
    for size in sorted(size for size in sizes if size < samples):
        compare_gradients(whole, study.gradient(0, size), f"in micro-batches of {size}")


def compare_gradients(
    whole: tuple[Tensor, Mapping[str, Tensor]], other: tuple[Tensor, Mapping[str, Tensor]], how: str
) -> None:
    """CheckFailed unless two (loss, gradient by name) agree to 1e-5, gradients relative to the largest of all."""
    apart = far(other[0], whole[0])
    if apart is not None:
        cause = f"{how}, the loss is {float(other[0]):.6g} instead of {float(whole[0]):.6g}"
        raise CheckFailed(cause, _SUMS)
    largest = max((float(gradient.abs().max()) for gradient in whole[1].values()), default=0.0)
    for name in sorted(whole[1].keys() | other[1].keys()):
        given = [found.get(name) for found in (whole[1], other[1])]
        first, second = (torch.zeros(()) if one is None else one for one in given)
        off = float((first - second).abs().max())
        if not off <= 1e-5 * max(1.0, largest):
            cause = f"{how}, the gradient of {name} differs by {off:.2g}"
            raise CheckFailed(cause, _SUMS)


_SUMS = (
    "losses are sums per sample and `count` their terms: no mean over the batch in loss(); declare `coupled` where "
    "samples see each other, and gather() what all processes must see"
)
