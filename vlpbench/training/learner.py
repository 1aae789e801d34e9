"""A backbone and the weighted objectives that teach it, and the joint loss of one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.types import Batch

__all__ = ["Learner", "Term", "joint_loss"]


@dataclass(frozen=True)
class Term:
    """One objective of a weighted sum."""

    weight: float
    """What its mean loss is multiplied by."""
    objective: Objective
    """The objective; its name tells its figures and its part of a batch apart from the others'."""


class Learner(nn.Module):
    """All that is trained together."""

    def __init__(self, backbone: Backbone, terms: Sequence[Term]) -> None:
        super().__init__()
        self.backbone = backbone
        self.terms = nn.ModuleDict({term.objective.name: term.objective for term in terms})
        self.weights = {term.objective.name: term.weight for term in terms}


def joint_loss(
    learner: Learner, batches: Mapping[str, Mapping[str, Batch]], device: Device
) -> tuple[Tensor, dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """The weighted sum of each term's mean over all that it counts in the step's batches.

    `batches` maps "pairs" and "texts" to each term's view of that batch. Returns the loss (0-d), figures to log and
    what each term carries to `after_step`. Pictures and texts are encoded once a step, whoever asks.
    """
    shared = {kind: _with_states(learner.backbone, views) for kind, views in batches.items()}
    total = torch.zeros((), device=device.torch)
    figures: dict[str, Tensor] = {}
    carries: dict[str, dict[str, Tensor]] = {}
    for name, module in learner.terms.items():
        assert isinstance(module, Objective)
        sums: dict[str, Tensor] = {}
        counted = torch.zeros((), device=device.torch)
        kinds = sorted(module.uses & shared.keys())
        for kind in kinds:
            batch = shared[kind][name]
            with device.autocast():
                features = module.encode(learner.backbone, batch)
            with device.full_precision():
                step = module.loss({key: _full(value) for key, value in features.items()}, batch)
            losses = step.losses if isinstance(step.losses, Mapping) else {"loss": step.losses}
            _check_shapes(name, losses, len(batch))
            for key, rows in losses.items():
                sums[key] = sums.get(key, 0) + rows.sum()
            counted = counted + (batch.extras["count"].sum() if "count" in batch.extras else len(batch))
            label = name if len(kinds) == 1 else f"{name}/{kind}"
            figures.update({f"{label}/{key}": value.detach() for key, value in step.figures.items()})
            carries.setdefault(name, {}).update(step.carry)
        means = {key: value / counted.clamp_min(1) for key, value in sums.items()}
        figures.update({f"{name}/{key}": value.detach() for key, value in means.items()})
        for value in means.values():
            total = total + learner.weights[name] * value
    return total, figures, carries


def _check_shapes(name: str, losses: Mapping[str, Tensor], samples: int) -> None:
    """A loss that is summed or averaged over the batch would be divided by the counts once more: refused."""
    for key, rows in losses.items():
        if rows.shape != (samples,):
            raise UserError(
                f"loss() of {name!r} returned {key!r} of shape {tuple(rows.shape)}, not ({samples},), one a sample",
                remedy="sum over a sample's own terms, and leave the mean over the batch to the loop",
            )


def _with_states(backbone: Backbone, views: Mapping[str, Batch]) -> dict[str, Batch]:
    """The terms' views of one batch, with one state of its pictures and one of its texts between them."""
    first = next(iter(views.values()))
    image = None if first.images is None else backbone.see(first.images)
    text = backbone.read(first.tokens, first.mask)
    return {name: replace(view, image=image, text=text) for name, view in views.items()}


def _full(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value
