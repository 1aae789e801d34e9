"""AdamW over two groups of parameters: matrices decay, vectors do not; and what it remembers, by name."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vlpbench.config.settings import Optim

__all__ = ["make_optimizer", "optimizer_tensors", "restore_optimizer"]


def make_optimizer(model: nn.Module, optim: Optim) -> torch.optim.AdamW:
    """Fused AdamW (arXiv 1711.05101) on all that is trained; norms, biases and single numbers have no weight decay."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": optim.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]], lr=optim.lr, betas=(optim.beta1, optim.beta2), fused=True
    )


def optimizer_tensors(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """What is remembered of each parameter that had a gradient, as "exp_avg/<name>" and so on."""
    return {
        f"{key}/{name}": value
        for name, weight in model.named_parameters()
        for key, value in optimizer.state.get(weight, {}).items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Remember it again, each tensor laid out in memory as its parameter is: the fused kernel walks both side by side.

    (`load_state_dict` would keep the layout of what it is given, which on disk is always the plain one.)
    """
    weights = dict(model.named_parameters())
    for named, value in tensors.items():
        key, _, name = named.partition("/")
        weight = weights[name]
        like = weight if value.shape == weight.shape else value
        made = torch.empty_like(like, dtype=value.dtype, device=weight.device, requires_grad=False)
        optimizer.state[weight][key] = made.copy_(value)
