"""AdamW over two groups of parameters: matrices decay, vectors do not; and what it remembers, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from vlpbench.config.settings import Optim
from vlpbench.parts import ranks

__all__ = ["Remembers", "adamw", "make_optimizer", "optimizer_tensors", "restore_optimizer"]


class Remembers(Protocol):
    """What an optimiser is to whoever keeps what it knows."""

    @property
    def state(self) -> Any:
        """Weight -> what is remembered of it, by name."""

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Weights with one rate and one decay."""


def make_optimizer(model: nn.Module, optim: Optim) -> torch.optim.AdamW:
    """Fused AdamW (arXiv 1711.05101) on all that is trained; norms, biases and single numbers have no weight decay."""
    return adamw((weight for weight in model.parameters() if weight.requires_grad), optim)


def adamw(weights: Iterable[Tensor], optim: Optim, axes: int = 0) -> torch.optim.AdamW:
    """The same on these weights, whose first `axes` axes are none of a weight's own (seeds that train as one)."""
    groups = []
    for kind in _kinds(list(weights)):
        groups.append({"params": [one for one in kind if one.ndim - axes >= 2], "weight_decay": optim.weight_decay})
        groups.append({"params": [one for one in kind if one.ndim - axes < 2], "weight_decay": 0.0})
    return torch.optim.AdamW(
        [group for group in groups if group["params"]], lr=optim.lr, betas=(optim.beta1, optim.beta2), fused=True
    )


def _kinds(weights: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Whole ones, and those of which each process has a part: no kernel takes both at once."""
    parted = [one for one in weights if ranks.is_in_parts(one)]
    return [one for one in weights if not ranks.is_in_parts(one)], parted


def optimizer_tensors(optimizer: Remembers, model: nn.Module) -> dict[str, Tensor]:
    """What is remembered of each parameter that had a gradient, as "exp_avg/<name>" and so on."""
    return {
        f"{key}/{name}": value
        for name, weight in model.named_parameters()
        for key, value in optimizer.state.get(weight, {}).items()
    }


def restore_optimizer(optimizer: Remembers, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Remember it again, each tensor laid out in memory as its parameter is: the fused kernel walks both side by side.

    (`load_state_dict` would keep the layout of what it is given, which on disk is always the plain one.)
    """
    weights = dict(model.named_parameters())
    for named, value in tensors.items():
        key, _, name = named.partition("/")
        weight = weights[name]
        like = weight if value.shape == weight.shape else value
        made = torch.empty_like(like, dtype=value.dtype, device=weight.device, requires_grad=False)
        optimizer.state[weight][key] = ranks.filled(made, value)
