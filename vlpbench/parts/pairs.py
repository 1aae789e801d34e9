"""Which pairs of a batch belong together beside each row's own, and targets that are spread over them.

Axes: B own samples, N samples of all processes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vlpbench.parts.ranks import gather, mine, own

__all__ = ["same", "single", "spread"]


def same(ids: Tensor) -> Tensor:
    """B, N bool: whose number (B) is equal to whose."""
    return own(ids)[:, None] == gather(ids)[None]


def single(ids: Tensor) -> Tensor:
    """B, N bool: each row and itself, however many others have its number (B)."""
    rows = torch.eye(len(gather(ids)), dtype=torch.bool, device=ids.device)
    return mine(rows)


def spread(positives: Tensor, smoothing: float = 0.0) -> Tensor:
    """B, N: each row's target spread evenly over its positives (B, N bool), a share of it over all (label smoothing).

    With each row its own only positive this is (1 - e) I + e / N. A row without a positive is a row of NaN.
    """
    return (1 - smoothing) * positives / positives.sum(1, keepdim=True) + smoothing / positives.shape[1]
