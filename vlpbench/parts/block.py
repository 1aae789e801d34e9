"""Pre-norm transformer blocks: one that sees itself, one that also looks at a memory.

Axes: B batch, C candidates that share a memory, S tokens, K memory tokens, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vlpbench.parts.attention import Attention, Keys

__all__ = ["DecoderBlock", "EncoderBlock", "Mlp"]


class Mlp(nn.Sequential):
    """Two linear layers with GELU between them; four times as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))


class EncoderBlock(nn.Module):
    """Self-attention, then MLP, each on a normalised copy (pre-LN, arXiv 2002.04745)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.mlp = nn.LayerNorm(width), Mlp(width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """B, S, D -> B, S, D."""
        x = x + self.attention(self.norm1(x), mask)
        return x + self.mlp(self.norm2(x))


class DecoderBlock(nn.Module):
    """Causal self-attention, a look at the memory, MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.cross = nn.LayerNorm(width), Attention(width, heads)
        self.norm3, self.mlp = nn.LayerNorm(width), Mlp(width)

    def forward(self, x: Tensor, memory: Keys, memory_mask: Tensor | None, mask: Tensor) -> Tensor:
        """B, C, S, D -> B, C, S, D; the C candidates of a row look at one memory, which is not copied."""
        many, length = x.shape[1], x.shape[2]
        rows = x.flatten(0, 1)  # B*C, S, D
        rows = rows + self.attention(self.norm1(rows), mask)
        x = rows.unflatten(0, (-1, many)).flatten(1, 2)  # B, C*S, D
        x = x + self.cross.ask(self.norm2(x), memory, memory_mask)
        return (x + self.mlp(self.norm3(x))).unflatten(1, (many, length))

    def step(self, x: Tensor, past: Keys, at: int, memory: Keys, memory_mask: Tensor | None) -> Tensor:
        """B, C, D -> B, C, D: one more token for each of C beams; `past` (B*C, N, S, H) is written at position `at`."""
        beams = x.shape[1]
        row = self.norm1(x).flatten(0, 1)[:, None]  # B*C, 1, D
        for kept, new in zip(past, self.attention.keys(row), strict=True):
            kept[:, :, at : at + 1] = new
        seen = self.attention.ask(row, (past[0][:, :, : at + 1], past[1][:, :, : at + 1]))
        x = x + seen.view(-1, beams, x.shape[-1])
        x = x + self.cross.ask(self.norm2(x), memory, memory_mask)
        return torch.add(x, self.mlp(self.norm3(x)))
