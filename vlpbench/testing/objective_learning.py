"""Checks of training: batches can be learnt by heart; micro-batches and a seed axis change nothing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.learning import Study
from vlpbench.testing.rounds import corrupted, crossed, far, rows_of
from vlpbench.testing.subject import Subject
from vlpbench.types import Batch

__all__ = ["check_learns_by_heart", "check_micro_batches", "check_seed_axis", "compare_gradients"]

_STEPS = 40


def check_learns_by_heart(subject: Subject) -> None:
    """Two batches, seen again and again in a few dozen AdamW steps, have a clearly smaller loss in the end."""
    study = Study.of(subject)
    told = [study.learn() for _ in range(_STEPS)]
    start, end = sum(told[:2]) / 2, sum(told[-4:]) / 4
    if not end < start - 0.05 * abs(start):
        cause = f"two batches were seen {_STEPS // 2} times each, and the loss went from {start:.4g} to {end:.4g}"
        raise CheckFailed("", cause, "is the sign right, does a gradient reach the backbone?")


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
        raise CheckFailed("", cause, _SUMS)
    largest = max((float(gradient.abs().max()) for gradient in whole[1].values()), default=0.0)
    for name in sorted(whole[1].keys() | other[1].keys()):
        given = [found.get(name) for found in (whole[1], other[1])]
        first, second = (torch.zeros(()) if one is None else one for one in given)
        off = float((first - second).abs().max())
        if not off <= 1e-5 * max(1.0, largest):
            cause = f"{how}, the gradient of {name} differs by {off:.2g}"
            raise CheckFailed("", cause, _SUMS)


_SUMS = (
    "losses are sums per sample and `count` their terms: no mean over the batch in loss(); declare `coupled` where "
    "samples see each other, and gather() what all processes must see"
)


class _Both(nn.Module):
    """An objective and its backbone as one function of their weights."""

    def __init__(self, objective: Objective, backbone: Backbone) -> None:
        super().__init__()
        self.objective, self.backbone = objective, backbone

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """name -> B: the losses."""
        image = None if batch.images is None else self.backbone.see(batch.images)
        batch = replace(batch, image=image, text=self.backbone.read(batch.tokens, batch.mask))
        features = self.objective.encode(self.backbone, batch)
        return rows_of(self.objective.loss(features, batch))


def check_seed_axis(subject: Subject) -> None:
    """Two seeds stacked and batched by torch.func.vmap have the losses that each has alone (1e-5)."""
    models: list[_Both] = []
    for seed in range(2):
        backbone = subject.backbone(seed)
        if seed:
            backbone.taught_by(models[0].backbone.teacher)
        models.append(_Both(subject.objective(backbone, seed), backbone))
    for kind, host in subject.hosts().items():
        batch = crossed(corrupted(subject, host))
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns where it batches an operation by a loop
            alone = [model(batch) for model in models]
            parameters, buffers = stack_module_state(models)
            try:
                made = vmap(lambda p, b, batch=batch: functional_call(models[0], (p, b), (batch,)))(parameters, buffers)
            except RuntimeError as wrong:
                if "atching rule" in str(wrong):
                    raise CheckSkipped("no-batching-rule", str(wrong).splitlines()[0]) from wrong
                cause = f"on {kind}, two seeds cannot run as one model: {str(wrong).splitlines()[0]}"
                raise CheckFailed("", cause, _STATIC) from wrong
        for name, rows in made.items():
            for seed, one in enumerate(alone):
                apart = far(rows[seed], one[name])
                if apart is not None:
                    cause = f"with a seed axis, {name!r} of seed {seed} on {kind} differs by {apart:.2g}"
                    raise CheckFailed("", cause, "let nothing look at the values of weights of all seeds at once")


_STATIC = "no .item(), no boolean indexing, no `if` on a tensor: weights and torch.where instead"
