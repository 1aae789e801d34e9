"""Two views of a picture predict each other, without negatives (SimSiam, arXiv 2011.10566).

Axes: B own samples, N samples of all processes, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from vlpbench.plugin import gather, own

__all__ = ["BatchStatistics", "Siamese"]


class BatchStatistics(nn.Module):
    """Batch norm by the mean and variance of all processes' rows; it keeps no running statistics."""

    def __init__(self, width: int, shifts: bool = True) -> None:
        """`shifts`: whether a learnt bias is added; one that another batch norm takes away again learns nothing."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if shifts else None

    def forward(self, rows: Tensor) -> Tensor:
        """B, D -> B, D: over the N rows that all hold together, each number has mean 0 and variance 1."""
        every = gather(rows)
        variance, mean = torch.var_mean(every, 0, correction=0)
        normal = self.weight * (own(rows) - mean) * (variance + 1e-5).rsqrt()
        return normal if self.bias is None else normal + self.bias


class Siamese(nn.Module):
    """A projection z of three layers and a prediction p of two, both with batch norm; asked in `loss` alone."""

    def __init__(self, width: int, hidden: int, bottleneck: int) -> None:
        super().__init__()
        self.project = nn.Sequential(
            *_layer(width, hidden), *_layer(hidden, hidden),
            nn.Linear(hidden, hidden, bias=False), BatchStatistics(hidden, shifts=False),
        )
        self.predict = nn.Sequential(*_layer(hidden, bottleneck), nn.Linear(bottleneck, hidden))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """B, D twice -> B: -1/2 [cos(p1, sg z2) + cos(p2, sg z1)], sg the gradient's end."""
        z1, z2 = self.project(first), self.project(second)
        p1, p2 = self.predict(z1), self.predict(z2)
        return -(cosine_similarity(p1, z2.detach(), dim=1) + cosine_similarity(p2, z1.detach(), dim=1)) / 2


def _layer(width: int, to: int) -> tuple[nn.Module, ...]:
    """Batch norm takes any bias away again, so the linear map has none."""
    return nn.Linear(width, to, bias=False), BatchStatistics(to), nn.ReLU()
