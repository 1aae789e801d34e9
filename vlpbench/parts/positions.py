"""Where a token stands: learnt tables for one axis, and a relative bias for two.

Axes: P tokens of a grid of R rows and C columns, N heads, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["PositionTable", "RelativeBias"]


class PositionTable(nn.Module):
    """A learnt vector for each of `length` places."""

    def __init__(self, length: int, width: int, std: float) -> None:
        super().__init__()
        self.std = std
        self.weight = nn.Parameter(torch.empty(length, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        nn.init.normal_(self.weight, std=self.std)

    def forward(self, length: int) -> Tensor:
        """length, D: the first places."""
        if length > len(self.weight):
            raise ValueError(f"{length} tokens, but the position table ends at {len(self.weight)}")
        return self.weight[:length]

    def at(self, places: Tensor | int) -> Tensor:
        """... -> ..., D: the vectors of these places, which must be below its length; of a number that is checked."""
        if isinstance(places, int):
            return self(places + 1)[places]
        return nn.functional.embedding(places, self.weight)


class RelativeBias(nn.Module):
    """A learnt number per head for each offset of two cells, added to attention logits (CoAtNet, arXiv 2106.04803)."""

    offsets: Tensor

    def __init__(self, heads: int, grid: tuple[int, int]) -> None:
        super().__init__()
        rows, columns = grid
        self.table = nn.Parameter(torch.zeros(heads, (2 * rows - 1) * (2 * columns - 1)))
        place = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))  # P, 2
        apart = place[:, None] - place[None] + torch.tensor([rows - 1, columns - 1])
        self.register_buffer("offsets", apart[..., 0] * (2 * columns - 1) + apart[..., 1], persistent=False)

    def reset_parameters(self) -> None:
        """Start without any preference."""
        nn.init.zeros_(self.table)

    def forward(self, others: int = 0) -> Tensor:
        """1, N, P+others, P+others: the bias between grid cells, zero where one of the two is not in the grid."""
        bias = self.table[:, self.offsets]  # N, P, P
        return nn.functional.pad(bias, (0, others, 0, others))[None]
