"""AdamW over two groups of parameters: matrices decay, vectors do not."""

from __future__ import annotations

import torch
from torch import nn

from vlpbench.config.settings import Optim

__all__ = ["make_optimizer"]


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
