"""The joint loss of a step: the weighted sum of each term's mean over all that it counts in the step's batches.

A mean is over pairs and texts, micro-batches and processes together: sums per sample are divided by the counts of the
whole step, so it does not matter how the step was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, ImageState
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.parts import ranks
from vlpbench.training.learner import Learner
from vlpbench.types import Batch, Step

__all__ = ["StepBatches", "Tally", "Terms", "Views", "encoded", "joint_loss", "terms_of", "told", "with_states"]

Views = Mapping[str, Batch]
"""Each term's view of one batch, by the term's name."""

StepBatches = Mapping[str, Views]
"""The step's batches: "pairs", "texts" or both."""

Terms = Callable[[Learner, str, Views, Device], dict[str, Step]]
"""What computes the terms of one batch, or of some of its rows: `terms_of`, or the same compiled."""


class Tally:
    """Adds up what the terms say of the pieces of one step."""

    def __init__(self, learner: Learner, batches: StepBatches, device: Device) -> None:
        self.learner, self.device = learner, device
        self.kinds = {name: sorted(term.uses & batches.keys()) for name, term in learner.terms.items()}  # type: ignore[operator]
        self.counts = {name: self._count(name, batches) for name in learner.terms}
        self.samples = {kind: len(next(iter(views.values()))) for kind, views in batches.items()}
        self.sums: dict[str, dict[str, Tensor]] = {name: {} for name in learner.terms}
        self.figures: dict[str, Tensor] = {}
        self.carried: dict[str, dict[str, dict[str, list[Tensor]]]] = {}

    def _count(self, name: str, batches: StepBatches) -> Tensor:
        counted = torch.zeros((), device=self.device.torch)
        for kind in self.kinds[name]:
            batch = batches[kind][name]
            counted = counted + (batch.extras["count"].sum() if "count" in batch.extras else len(batch))
        return ranks.total(counted).clamp_min(1)

    def add(self, name: str, kind: str, step: Step, samples: int) -> Tensor:
        """What these samples add to the joint loss (0-d, with gradient)."""
        losses = step.losses if isinstance(step.losses, Mapping) else {"loss": step.losses}
        _check_shapes(name, losses, samples)
        added = torch.zeros((), device=self.device.torch)
        for key, rows in losses.items():
            mean = rows.sum() / self.counts[name]
            added = added + self.learner.weights[name] * mean
            self.sums[name][key] = self.sums[name].get(key, 0) + mean.detach()
        label = name if len(self.kinds[name]) == 1 else f"{name}/{kind}"
        for key, value in step.figures.items():
            share = value.detach() * (samples / self.samples[kind])
            self.figures[f"{label}/{key}"] = self.figures.get(f"{label}/{key}", 0) + share
        for key, rows in step.carry.items():
            self.carried.setdefault(name, {}).setdefault(key, {}).setdefault(kind, []).append(rows.detach())
        return added

    def finish(self) -> tuple[Tensor, dict[str, Tensor], dict[str, dict[str, Tensor]]]:
        """The joint loss (0-d), figures to log, and what each term carries to `after_step`, of all processes.

        Carried rows are in the order of the whole batches, pairs before texts, however the step was cut.
        """
        loss = torch.zeros((), device=self.device.torch)
        figures = {name: ranks.total(value) / ranks.many() for name, value in self.figures.items()}
        for name, means in self.sums.items():
            for key, mean in means.items():
                figures[f"{name}/{key}"] = ranks.total(mean)
                loss = loss + self.learner.weights[name] * figures[f"{name}/{key}"]
        carries: dict[str, dict[str, Tensor]] = {name: {} for name, kinds in self.kinds.items() if kinds}
        for name, carried in self.carried.items():
            for key, kinds in carried.items():
                carries[name][key] = torch.cat([ranks.gather(torch.cat(kinds[kind])) for kind in sorted(kinds)])
        return loss, figures, carries


def joint_loss(
    learner: Learner, batches: StepBatches, device: Device
) -> tuple[Tensor, dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """The joint loss of whole batches (0-d, with gradient), figures to log, and what each term carries.

    Pictures and texts are encoded once a batch, whoever asks.
    """
    tally = Tally(learner, batches, device)
    total = torch.zeros((), device=device.torch)
    shared = {kind: with_states(learner.backbone, views) for kind, views in batches.items()}
    for name in learner.terms:
        for kind in tally.kinds[name]:
            batch = shared[kind][name]
            features = encoded(learner, name, batch, device)
            total = total + tally.add(name, kind, told(learner, name, features, batch, device), len(batch))
    return total, *tally.finish()[1:]


def terms_of(learner: Learner, kind: str, views: Views, device: Device) -> dict[str, Step]:
    """What each term that learns from a batch of this kind ("pairs", "texts") says of it."""
    shared = with_states(learner.backbone, views)
    named = [name for name in learner.terms if kind in learner.objective(name).uses]
    return {
        name: told(learner, name, encoded(learner, name, shared[name], device), shared[name], device) for name in named
    }


def encoded(learner: Learner, name: str, batch: Batch, device: Device) -> Mapping[str, Tensor]:
    """A term's features, in mixed precision where the device has it."""
    objective = learner.objective(name)
    with device.autocast():
        return objective.encode(learner.backbone, batch)


def told(learner: Learner, name: str, features: Mapping[str, Tensor], batch: Batch, device: Device) -> Step:
    """A term's formula, in fp32."""
    with device.full_precision():
        return learner.objective(name).loss({key: _full(value) for key, value in features.items()}, batch)


def with_states(backbone: Backbone, views: Views) -> dict[str, Batch]:
    """The terms' views of one batch, with one state of its pictures and one of its texts between them."""
    first = next(iter(views.values()))
    seen = () if first.images is None else tuple(_seen(backbone, one, first) for one in (first.images, *first.others))
    text = backbone.read(first.tokens, first.mask)
    image = seen[0] if seen else None
    return {name: replace(view, image=image, views=seen, text=text) for name, view in views.items()}


def _seen(backbone: Backbone, images: Tensor, batch: Batch) -> ImageState:
    """The state of a batch's pictures, each encoded once, however many captions of it are neighbours."""
    if batch.captions == 1:
        return backbone.see(images)
    state: ImageState = backbone.see(images[:: batch.captions])
    return state.rows(torch.arange(len(batch), device=images.device) // batch.captions)


def _check_shapes(name: str, losses: Mapping[str, Tensor], samples: int) -> None:
    """A loss that is summed or averaged over the batch would be divided by the counts once more: refused."""
    for key, rows in losses.items():
        if rows.shape != (samples,):
            raise UserError(
                f"loss() of {name!r} returned {key!r} of shape {tuple(rows.shape)}, not ({samples},), one a sample",
                remedy="sum over a sample's own terms, and leave the mean over the batch to the loop",
            )


def _full(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value
