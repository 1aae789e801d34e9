"""Models of one shape with their tensors in common ones: S models, and of each weight one tensor (S, ...).

A model's own weights become rows of the common tensors, so whoever looks at one model (a checkpoint, a teacher's
average, `after_step`) sees it as it is, and writes where all of them are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vlpbench.config.settings import Optim
from vlpbench.training.optimizer import Remembers, adamw

__all__ = ["OwnPart", "Stacked"]

_STEPS = "step"
"""What an optimiser remembers of a weight under this name is a count of steps, equal in all models."""


class Stacked:
    """The weights and buffers of S models, and one optimiser for all of them."""

    def __init__(
        self, models: Sequence[nn.Module], optim: Optim, before: Sequence[Remembers]
    ) -> None:
        """`before` has remembered what each model's optimiser is to remember, as far as it had steps."""
        self.models = list(models)
        self.weights = {name: self._common(name) for name, _ in models[0].named_parameters()}
        self.buffers = {name: self._rows_of(name) for name, _ in models[0].named_buffers() if self._differs(name)}
        trained = [weight for weight in self.weights.values() if weight.requires_grad]
        self.optimizer = adamw(trained, optim, axes=1)
        self._remember(before)

    def _common(self, name: str) -> nn.Parameter:
        own = [model.get_parameter(name) for model in self.models]
        whole = nn.Parameter(torch.stack([one.detach() for one in own]), requires_grad=own[0].requires_grad)
        for one, row in zip(own, whole.detach().unbind(), strict=True):
            one.data = row
        return whole

    def _rows_of(self, name: str) -> Tensor:
        owner, _, leaf = name.rpartition(".")
        places = [model.get_submodule(owner)._buffers for model in self.models]
        whole = torch.stack([buffers[leaf] for buffers in places])  # type: ignore[misc]
        for buffers, row in zip(places, whole.unbind(), strict=True):
            buffers[leaf] = row
        return whole

    def _differs(self, name: str) -> bool:
        """Whether a buffer may become another in each model: a table of indices that nobody saves is a constant."""
        owner, _, leaf = name.rpartition(".")
        first = self.models[0].get_submodule(owner)
        constant = leaf in first._non_persistent_buffers_set and not first.get_buffer(leaf).is_floating_point()
        return not constant or any(
            not torch.equal(model.get_buffer(name), first.get_buffer(leaf)) for model in self.models[1:]
        )

    def _remember(self, before: Sequence[Remembers]) -> None:
        """Go on from what each model's own optimiser knew."""
        for name, whole in self.weights.items():
            own = [model.get_parameter(name) for model in self.models[: len(before)]]
            states = [one.state.get(weight, {}) for one, weight in zip(before, own, strict=True)]
            if states and all(states):
                self.optimizer.state[whole] = {
                    key: value.clone() if key == _STEPS else torch.stack([state[key] for state in states])
                    for key, value in states[0].items()
                }

    def gather_strays(self) -> None:
        """Take back buffers that a model has put new tensors in the place of (`self.queue = ...`).

        Raises RuntimeError where one has another shape now.
        """
        for name, whole in self.buffers.items():
            owner, _, leaf = name.rpartition(".")
            for model, row in zip(self.models, whole.unbind(), strict=True):
                buffers = model.get_submodule(owner)._buffers
                held = buffers[leaf]
                if held is None or held.shape != row.shape:
                    raise RuntimeError(f"{name!r} has become a buffer of another shape")
                if held.data_ptr() != row.data_ptr():
                    row.copy_(held)
                    buffers[leaf] = row

    def part(self, at: int) -> OwnPart:
        """The optimiser as the model at this place sees it."""
        return OwnPart(self, at)

    @torch.no_grad()
    def part_ways(self) -> None:
        """Give each model tensors of its own, so that none keeps the memory of all."""
        for model in self.models:
            for weight in model.parameters():
                weight.data = weight.data.clone()
            for name in self.buffers:
                owner, _, leaf = name.rpartition(".")
                buffers = model.get_submodule(owner)._buffers
                buffers[leaf] = buffers[leaf].clone()  # type: ignore[union-attr]


class OwnPart:
    """What the common optimiser remembers of one model, in the words of an optimiser of its own."""

    def __init__(self, stacked: Stacked, at: int) -> None:
        self.stacked, self.at = stacked, at

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all models: their rates are one."""
        return self.stacked.optimizer.param_groups

    @property
    def state(self) -> Mapping[Tensor, dict[str, Tensor]]:
        """Weight of the model -> what is remembered of it; rows of what is remembered of all."""
        model, whole = self.stacked.models[self.at], self.stacked.optimizer.state
        return {
            model.get_parameter(name): {
                key: value if key == _STEPS else value[self.at] for key, value in whole[weight].items()
            }
            for name, weight in self.stacked.weights.items() if weight in whole
        }
