"""Pre-norm transformer blocks: one that sees itself and what came before, one that also looks at a memory, two fused.

Axes: B batch, C candidates that share a memory, S tokens, K memory tokens, P image tokens, T text tokens, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vlpbench.parts.attention import Attention, Keys
from vlpbench.parts.past import FixedPast, Past
from vlpbench.parts.sight import Mask

__all__ = ["DecoderBlock", "EncoderBlock", "FusionBlock", "Mlp"]


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

    def forward(self, x: Tensor, mask: Mask | None = None, kept: list[Keys] | None = None) -> Tensor:
        """B, S, D -> B, S, D; the keys and values by which later positions can look at these are put into `kept`."""
        normal = self.norm1(x)
        keys = self.attention.keys(normal)
        if kept is not None:
            kept.append(keys)
        x = x + self.attention.ask(normal, keys, mask)
        return x + self.mlp(self.norm2(x))

    def keys(self, x: Tensor) -> Keys:
        """B, S, D -> keys and values, where nobody asks what these positions see."""
        return self.attention.keys(self.norm1(x))

    def beyond(self, x: Tensor, before: Keys, mask: Tensor) -> Tensor:
        """B, C, S, D -> B, C, S, D: candidates that go on behind positions whose keys `before` (B, N, K, H) they share.

        `mask` is B or 1, 1, S, K + S: a candidate looks at what it shares and at itself.
        """
        normal = self.norm1(x)
        x = x + self.attention.ask_both(normal, before, self.attention.keys(normal.flatten(0, 1)), mask)
        return x + self.mlp(self.norm2(x))

    def step(self, x: Tensor, past: Past | FixedPast, mask: Tensor | None = None) -> Tensor:
        """B, C, D -> B, C, D: one more token for each of C beams, put into `past` (F places with it).

        `mask` (B, 1, C, F) says which places each beam looks at.
        """
        normal = self.norm1(x)
        x = x + self.attention.ask(normal, past.grow(self.attention.keys(normal)), mask)
        return x + self.mlp(self.norm2(x))


class DecoderBlock(nn.Module):
    """Causal self-attention, a look at the memory, MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.cross = nn.LayerNorm(width), Attention(width, heads)
        self.norm3, self.mlp = nn.LayerNorm(width), Mlp(width)

    def forward(self, x: Tensor, memory: Keys, memory_mask: Tensor | None, mask: Mask | None) -> Tensor:
        """B, C, S, D -> B, C, S, D; the C candidates of a row look at one memory, which is not copied."""
        many, length = x.shape[1], x.shape[2]
        rows = x.flatten(0, 1)  # B*C, S, D
        rows = rows + self.attention(self.norm1(rows), mask)
        x = rows.unflatten(0, (-1, many)).flatten(1, 2)  # B, C*S, D
        x = x + self.cross.ask(self.norm2(x), memory, memory_mask)
        return (x + self.mlp(self.norm3(x))).unflatten(1, (many, length))

    def step(
        self, x: Tensor, past: Past | FixedPast, mask: Tensor | None, memory: Keys, memory_mask: Tensor | None
    ) -> Tensor:
        """B, C, D -> B, C, D: one more token for each of C beams, put into `past` (F places with it).

        `mask` (B, 1, C, F) says which places each beam looks at; the memory is not copied for each.
        """
        normal = self.norm1(x)
        x = x + self.attention.ask(normal, past.grow(self.attention.keys(normal)), mask)
        x = x + self.cross.ask(self.norm2(x), memory, memory_mask)
        return torch.add(x, self.mlp(self.norm3(x)))


class FusionBlock(nn.Module):
    """Words look at each other and at image tokens; with `two_way` image tokens look at words too, at the same time.

    Both look at what the other was before the block (co-attention as METER's, arXiv 2111.02387; words alone look as
    ALBEF's, arXiv 2107.07651). Here both are residual streams, so what is looked at is normalised first.
    """

    def __init__(self, width: int, heads: int, two_way: bool) -> None:
        super().__init__()
        self.words = DecoderBlock(width, heads)
        if two_way:
            self.image = DecoderBlock(width, heads)
            self.words_norm, self.image_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.two_way = two_way

    def forward(self, image: Tensor, words: Tensor, present: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """B, P, D and B, T, D -> the same; `present` (B, 1, 1, T) says where words are, `mask` which see which."""
        seen = self.words.cross.keys(self.image_norm(image) if self.two_way else image)
        new_words = self.words(words[:, None], seen, None, mask)[:, 0]
        if self.two_way:
            said = self.image.cross.keys(self.words_norm(words))
            image = self.image(image[:, None], said, present, None)[:, 0]
        return image, new_words
