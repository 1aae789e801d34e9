"""The transformer that reads texts alone: pre-norm by default, or computed exactly as BERT (arXiv 1810.04805).

Axes: B batch, T text tokens, D width.
"""

from __future__ import annotations

from torch import Tensor, nn

from vlpbench.plugin import parts

__all__ = ["TextTower"]


class TextTower(nn.Module):
    """Word vectors get positions and go through `layers` blocks.

    With `post_norm` it is BERT: the sum of words, positions and token type is normalised, then come post-LN blocks
    and no norm behind them. The token type needs no table: our rows are one segment, so that the vector of type 0 is
    the same at all positions and is part of the position table.
    """

    def __init__(
        self, length: int, width: int, heads: int, layers: int, std: float, post_norm: bool = False
    ) -> None:
        """For texts of at most `length` tokens (T); `std` is the position table's standard deviation at the start."""
        super().__init__()
        self.post_norm = post_norm
        block = parts.PostNormBlock if post_norm else parts.EncoderBlock
        self.positions = parts.PositionTable(length, width, std)
        self.blocks = nn.ModuleList(block(width, heads) for _ in range(layers))
        if post_norm:
            self.embedding_norm = nn.LayerNorm(width, parts.BERT_EPS)
        else:
            self.norm = nn.LayerNorm(width)

    def forward(self, embedded: Tensor, present: Tensor, causal: bool = False) -> Tensor:
        """B, T, D (words without positions) and B, T bool -> B, T, D; `causal`: a word sees only what came before."""
        mask = parts.masks.padding(present)
        if causal:
            mask = mask & parts.masks.causal(embedded.shape[1], embedded.device)
        x = embedded + self.positions(embedded.shape[1])
        if self.post_norm:
            x = self.embedding_norm(x)
        for block in self.blocks:
            x = block(x, mask)
        return x if self.post_norm else self.norm(x)
