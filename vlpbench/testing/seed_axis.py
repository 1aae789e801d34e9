"""Cells that differ only by seed can train as one model with a seed axis: two seeds at once are what each is alone.

Axes: B samples.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.contract.wiring import Stem, Trunk
from vlpbench.parts.seeds import together
from vlpbench.testing.asking import ASKING
from vlpbench.testing.backbone_subject import BackboneSubject, backbone_subject_of
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.rounds import corrupted, crossed, far, rows_of, stated
from vlpbench.testing.subject import Subject, subject_of
from vlpbench.types import Batch

__all__ = ["check_seed_axis"]


def check_seed_axis(given: Any) -> None:
    """Two seeds stacked and batched by torch.func.vmap give what each gives alone (1e-5).

    `given` is an objective class (its losses are compared) or a trunk or stem class (all that its abilities return),
    or a Subject of either. CheckSkipped where torch has no batching rule for an operation.
    """
    if isinstance(given, BackboneSubject) or (isinstance(given, type) and issubclass(given, Stem | Trunk)):
        _check_backbone(backbone_subject_of(given))
    else:
        _check_objective(subject_of(given))


class _Both(nn.Module):
    """An objective and its backbone as one function of their weights."""

    def __init__(self, objective: Objective, backbone: Backbone) -> None:
        super().__init__()
        self.objective, self.backbone = objective, backbone

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """name -> B: the losses."""
        batch = stated(self.backbone, batch)
        features = self.objective.encode(self.backbone, batch)
        return rows_of(self.objective.loss(features, batch))


class _All(nn.Module):
    """All abilities of a backbone as one function of its weights."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor, tokens: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """ability and number -> what it returns."""
        image, text = self.backbone.see(images), self.backbone.read(tokens, mask)
        return {
            f"{ability} {number}": x
            for ability in sorted(self.backbone.abilities)
            for number, x in enumerate(ASKING[ability](self.backbone, image, text))
        }


def _check_objective(subject: Subject) -> None:
    models: list[_Both] = []
    for seed in range(2):
        backbone = subject.backbone(seed)
        if seed:
            backbone.taught_by(models[0].backbone.teacher)
        models.append(_Both(subject.objective(backbone, seed), backbone))
    for kind, host in subject.hosts().items():
        _compare(models, (crossed(corrupted(subject, host)),), f"on {kind}")


def _check_backbone(subject: BackboneSubject) -> None:
    models = [_All(subject.build(subject.offers, seed)) for seed in range(2)]
    _compare(models, (subject.images(), *subject.words()), f"of {subject.name}")


@torch.no_grad()
def _compare(models: Sequence[nn.Module], given: tuple[Any, ...], where: str) -> None:
    alone: list[Mapping[str, Tensor]] = [model(*given) for model in models]
    with warnings.catch_warnings(), together(range(len(models)), torch.device("cpu")):
        warnings.simplefilter("ignore")  # torch warns where it batches an operation by a loop
        parameters, buffers = stack_module_state(list(models))
        try:
            made = vmap(lambda *weights: functional_call(models[0], weights, given))(parameters, buffers)
        except RuntimeError as wrong:
            said = str(wrong).splitlines()[0]
            if "atching rule" in said:
                raise CheckSkipped("no-batching-rule", said) from wrong
            raise CheckFailed(f"two seeds cannot run as one model {where}: {said}", _STATIC) from wrong
    for name, rows in made.items():
        for seed, one in enumerate(alone):
            apart = far(rows[seed], one[name])
            if apart is not None:
                cause = f"with a seed axis, {name!r} {where} differs by {apart:.2g} for seed {seed}"
                raise CheckFailed(cause, "keep nothing between calls that depends on weights")


_STATIC = "no .item(), no boolean indexing, no `if` on a tensor: weights and torch.where instead"
