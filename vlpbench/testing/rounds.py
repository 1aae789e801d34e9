"""One round of an objective: corrupt on the host, cross, encode, loss. All checks go through these few functions.

Axes: B samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.streams import generator
from vlpbench.testing.chance import seeded_anew
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.rows import SHARED
from vlpbench.testing.subject import Subject
from vlpbench.training.joint import with_states
from vlpbench.types import Batch, Step

__all__ = ["Round", "corrupted", "crossed", "far", "full", "mean_loss", "play", "round_of", "rows_of", "stated"]


@dataclass(frozen=True)
class Round:
    """What an objective made of one batch."""

    batch: Batch
    """The batch as tensors, with states."""
    features: Mapping[str, Tensor]
    """What `encode` returned."""
    step: Step
    """What `loss` returned."""

    @property
    def rows(self) -> dict[str, Tensor]:
        """name -> B: the losses."""
        return rows_of(self.step)


def rows_of(step: Step) -> dict[str, Tensor]:
    """name -> B: the losses of a step."""
    return dict(step.losses) if isinstance(step.losses, Mapping) else {"loss": step.losses}


def corrupted(subject: Subject, host: Batch, seed: int = 0) -> Batch:
    """The host batch with what `corrupt` makes of it. The shared generators are seeded inside and kept outside."""
    shown = replace(host, images=None, others=())
    with seeded_anew(0):
        made = subject.cls.corrupt(shown, generator(seed, f"corrupt/{subject.cls.name}"), subject.config)
    if not isinstance(made, Mapping):
        raise CheckFailed(f"corrupt() returned {type(made).__name__}", "return a mapping of names to arrays")
    arrays = {name: _rows(name, given, len(host)) for name, given in made.items()}
    return replace(host, extras={**host.extras, **arrays})


def _rows(name: str, given: Any, samples: int) -> np.ndarray:
    """What `corrupt` gave under a name as an array of numbers with a row a sample, as the loader wants it."""
    try:
        array = np.asarray(given)
    except ValueError as wrong:
        raise CheckFailed(f"corrupt() returned {name!r}, which is no array: {wrong}", "pad it to one length") from wrong
    if array.dtype.kind not in "biuf" or array.ndim == 0 or len(array) != samples:
        cause = f"corrupt() returned {name!r}: {array.dtype} of shape {array.shape}"
        remedy = f"({samples},)" if name == "count" else f"({samples}, ...)"
        raise CheckFailed(cause, f"return numbers with one row for each of {samples} samples: {remedy}")
    return array


def crossed(host: Batch) -> Batch:
    """The same batch as tensors of its own; doubles become floats, as the loader's."""
    arrays: dict[str, Any] = {name: _tensor(getattr(host, name)) for name in (*SHARED, "progress")}
    extras = {name: _tensor(array) for name, array in host.extras.items()}
    images = None if host.images is None else _tensor(host.images)
    return replace(host, images=images, others=tuple(map(_tensor, host.others)), extras=extras, **arrays)


def _tensor(array: Any) -> Tensor:
    made = torch.tensor(np.ascontiguousarray(array)).reshape(np.shape(array))
    return made.float() if made.dtype == torch.float64 else made


def stated(backbone: Backbone, batch: Batch) -> Batch:
    """The batch with the states of its pictures and texts."""
    return with_states(backbone, {"only": batch})["only"]


def full(features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The features as `loss` gets them: numbers in fp32."""
    return {name: x.float() if x.is_floating_point() else x for name, x in features.items()}


def play(objective: Objective, backbone: Backbone, batch: Batch, seed: int = 0) -> Round:
    """Encode and loss as the loop calls them, on a batch of tensors; shared generators as in `corrupted`."""
    batch = stated(backbone, batch)
    with seeded_anew(seed):
        features = objective.encode(backbone, batch)
        with torch.autocast("cpu", enabled=False):
            return Round(batch, features, objective.loss(full(features), batch))


def round_of(subject: Subject, host: Batch, seed: int = 0, grad: bool = False) -> Round:
    """A whole round with fresh weights, in evaluation mode."""
    backbone = subject.backbone()
    with torch.set_grad_enabled(grad):
        return play(subject.objective(backbone), backbone, crossed(corrupted(subject, host, seed)))


def mean_loss(made: Round) -> Tensor:
    """0-d: the sum of all losses over the count."""
    counted = made.batch.extras["count"].sum() if "count" in made.batch.extras else torch.tensor(len(made.batch))
    return torch.stack([rows.sum() for rows in made.rows.values()]).sum() / counted.clamp_min(1)


def far(a: Tensor, b: Tensor, tolerance: float = 1e-5) -> float | None:
    """The largest difference if it is beyond tolerance (relative to the larger of 1 and the values), else None."""
    if a.shape != b.shape:
        return float("inf")
    if a.numel() == 0:
        return None
    apart = float((a.double() - b.double()).abs().max())
    scale = max(1.0, float(b.detach().double().abs().max()))
    return None if apart <= tolerance * scale else apart
