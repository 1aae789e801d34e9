"""Learners that differ by their seed alone train as one, with a leading axis of S seeds: each as it would alone.

The joint loss of each is computed under `torch.func.vmap`: linear layers become batched matrix products, attention has
the axis in its batch (`vlpbench.parts.seeds`), convolutions become grouped ones. Losses are added, and as no weight
belongs to two seeds, each gets its own gradient. Clipping, teachers and queues are each seed's own. What differs from
training alone is the order of sums, and so the last bits.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from vlpbench.config.settings import Optim
from vlpbench.device import Device
from vlpbench.parts.seeds import together
from vlpbench.training.cost import counted_flops
from vlpbench.training.fitting import guarded_step
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.joint import StepBatches, joint_loss
from vlpbench.training.learner import Learner
from vlpbench.training.optimizer import Remembers
from vlpbench.training.stacked import OwnPart, Stacked
from vlpbench.types import Batch

__all__ = ["SeedAxis", "why_alone"]


class SeedAxis:
    """S learners of one shape and their common optimiser."""

    def __init__(
        self, learners: Sequence[Learner], optim: Optim, device: Device, before: Sequence[Remembers] = ()
    ) -> None:
        """`before` are the optimisers of learners that have had steps."""
        self.learners, self.optim, self.device = list(learners), optim, device
        joints = [_Joint(one, device) for one in learners]
        self.stacked = Stacked(joints, optim, before)
        self._joint = joints[0]
        self.flops: int | None = None
        """Floating-point operations of one seed's gradient; None before the first."""

    @property
    def optimizers(self) -> list[OwnPart]:
        """The common optimiser as each learner sees it."""
        return [OwnPart(self.stacked, at) for at in range(len(self.learners))]

    def step(self, batches: Sequence[StepBatches], chances: Sequence[int]) -> list[dict[str, Tensor]]:
        """One step of each learner on its own batches, dropout drawn from its own chance; their figures (0-d each)."""
        if self.flops is None:
            self.flops = self._count(batches[0])
        self.stacked.optimizer.zero_grad(set_to_none=True)
        losses, figures, carries = self.gradient(batches, chances)
        if self.optim.clip > 0:
            figures["gradient"] = self._clip()
        guarded_step(self.stacked.optimizer)
        with torch.no_grad():
            for at, learner in enumerate(self.learners):
                learner.follow()
                for name, carry in carries.items():
                    learner.objective(name).after_step({key: rows[at] for key, rows in carry.items()})
            self.stacked.gather_strays()
        said = {"loss": losses, **figures}
        return [{name: values[at] for name, values in said.items()} for at in range(len(self.learners))]

    def gradient(
        self, batches: Sequence[StepBatches], chances: Sequence[int]
    ) -> tuple[Tensor, dict[str, Tensor], dict[str, dict[str, Tensor]]]:
        """Add the gradient of each joint loss to the common weights; losses (S), figures (S), carried rows (S, ...)."""
        tensors = _Tensors(batches)

        def joint(weights: Mapping[str, Tensor], buffers: Mapping[str, Tensor], given: Sequence[Tensor]) -> Any:
            return functional_call(self._joint, (dict(weights), dict(buffers)), (tensors.one_of(given),))

        with together(chances, self.device.torch):
            losses, figures, carries = vmap(joint)(self.stacked.weights, self.stacked.buffers, tensors.of_all())
        if losses.requires_grad:
            losses.sum().backward()
        return losses.detach(), figures, carries

    def _count(self, batches: StepBatches) -> int:
        """What a gradient takes one learner alone: the seed axis itself needs other operations, and a record none."""
        alone = copy.deepcopy(self.learners[0])
        with counted_flops() as flops:
            joint_gradient(alone, batches, self.device)
        return flops()

    def _clip(self) -> Tensor:
        """S: each seed's norm of the whole gradient, which is shortened to the largest that is allowed."""
        found = [weight.grad for weight in self.stacked.weights.values() if weight.grad is not None]
        norms = torch.stack([gradient.reshape(len(gradient), -1).norm(dim=1) for gradient in found]).norm(dim=0)
        scale = (self.optim.clip / (norms + 1e-6)).clamp_max(1.0)
        for gradient in found:
            gradient.mul_(scale.view(-1, *[1] * (gradient.ndim - 1)))
        return norms


def why_alone(learner: Learner, batches: Sequence[StepBatches], device: Device) -> str | None:
    """The reason why a learner cannot train beside others of its kind, found by one step of copies; None if it can.

    `batches` are a step of each of two seeds or more. The learner stays as it is.
    """
    try:
        axis = SeedAxis([copy.deepcopy(learner).train() for _ in batches], Optim(), device)
        axis.step(batches, list(range(len(batches))))
    except Exception as error:  # noqa: BLE001 (whatever a stranger's code does under vmap is a reason)
        return _sentence(error)
    return None


def _sentence(error: Exception) -> str:
    said = " ".join(str(error).split())
    for sign, what in _SIGNS.items():
        if sign in said:
            return what
    return f"fails with a seed axis: {type(error).__name__}: {said.partition('. ')[0][:160]}"


_SIGNS = {
    "in-place arithmetic": "writes a buffer while its loss is computed (write it in after_step)",
    "inplace arithmetic": "writes a buffer while its loss is computed (write it in after_step)",
    "randomness": "draws numbers on the device (draw them in corrupt)",
    "data-dependent": "its shapes depend on the data (an index by a boolean mask; use weights)",
    "dynamic shape": "its shapes depend on the data (an index by a boolean mask; use weights)",
    ".item()": "reads a number back from the device (.item())",
    "control flow": "branches on a number of the device",
}
"""Part of what vmap says -> what an author understands."""


class _Joint(nn.Module):
    """The joint loss as a function of a module's weights."""

    def __init__(self, learner: Learner, device: Device) -> None:
        super().__init__()
        self.learner, self.device = learner, device

    def forward(self, batches: StepBatches) -> tuple[Tensor, dict[str, Tensor], dict[str, dict[str, Tensor]]]:
        """As `joint_loss`."""
        return joint_loss(self.learner, batches, self.device)


@dataclass
class _Tensors:
    """The distinct tensors of S seeds' batches, and batches made of others in their place."""

    batches: Sequence[StepBatches]

    def of_all(self) -> list[Tensor]:
        """S, ... each, in the order in which they are met."""
        found = [list(_distinct(one).values()) for one in self.batches]
        return [torch.stack(same) for same in zip(*found, strict=True)]

    def one_of(self, given: Sequence[Tensor]) -> StepBatches:
        """The first seed's batches with these tensors."""
        others = dict(zip(_distinct(self.batches[0]), given, strict=True))
        return {
            kind: {name: _replaced(batch, others) for name, batch in views.items()}
            for kind, views in self.batches[0].items()
        }


def _distinct(batches: StepBatches) -> dict[int, Tensor]:
    """Each tensor once, by its identity: views of a batch share most of theirs."""
    met: dict[int, Tensor] = {}
    for views in batches.values():
        for batch in views.values():
            for part in fields(batch):
                _meet(getattr(batch, part.name), met)
    return met


def _meet(value: Any, met: dict[int, Tensor]) -> None:
    if isinstance(value, Tensor):
        met.setdefault(id(value), value)
    elif isinstance(value, Mapping | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            _meet(one, met)


def _replaced(batch: Batch, others: Mapping[int, Tensor]) -> Batch:
    return replace(batch, **{part.name: _with(getattr(batch, part.name), others) for part in fields(batch)})


def _with(value: Any, others: Mapping[int, Tensor]) -> Any:
    if isinstance(value, Tensor):
        return others[id(value)]
    if isinstance(value, Mapping):
        return {key: _with(one, others) for key, one in value.items()}
    return tuple(_with(one, others) for one in value) if isinstance(value, tuple) else value
