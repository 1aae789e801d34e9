"""Multi-head attention with keys and values that can be made once and asked many times.

Axes: B batch, Q queries, K keys, D width, N heads, H width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

__all__ = ["Attention", "Keys", "joined"]

Keys = tuple[Tensor, Tensor]
"""Keys and values: each B, N, K, H."""


class Attention(nn.Module):
    """Scaled dot-product attention (arXiv 1706.03762); the mask is boolean (True = may look) or an additive bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # B, N, Q, H

    def keys(self, memory: Tensor) -> Keys:
        """B, K, D -> keys and values of the memory."""
        return self._split(self.key(memory)), self._split(self.value(memory))

    def ask(self, x: Tensor, keys: Keys, mask: Tensor | None = None) -> Tensor:
        """B, Q, D -> B, Q, D: each query's mean of the values it may look at."""
        seen = scaled_dot_product_attention(self._split(self.query(x)), *keys, attn_mask=mask)
        return self.out(seen.transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """B, Q, D -> B, Q, D: self-attention."""
        return self.ask(x, self.keys(x), mask)


def joined(bias: Tensor | None, mask: Tensor | None) -> Tensor | None:
    """An additive bias and a boolean mask in one: the bias where one may look, minus infinity elsewhere."""
    if bias is None or mask is None:
        return bias if mask is None else mask
    return torch.where(mask, bias, torch.full((), -torch.inf, dtype=bias.dtype, device=bias.device))
