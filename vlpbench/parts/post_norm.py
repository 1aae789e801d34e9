"""The transformer block of BERT: each part's sum is normalised, not its input (post-LN, arXiv 1706.03762, 1810.04805).

Axes: B batch, S tokens, D width.
"""

from __future__ import annotations

from torch import Tensor, nn

from vlpbench.parts.attention import Attention
from vlpbench.parts.block import Mlp
from vlpbench.parts.sight import Mask

__all__ = ["BERT_EPS", "PostNormBlock"]

BERT_EPS = 1e-12
"""What BERT's norms add to the variance; torch's own default is larger and gives other numbers."""


class PostNormBlock(nn.Module):
    """x = norm(x + attention(x)), then x = norm(x + mlp(x)), with exact GELU in the MLP.

    Its norms have names of their own: weights of a pre-norm block must not pass for those of this one.
    """

    def __init__(self, width: int, heads: int, eps: float = BERT_EPS) -> None:
        super().__init__()
        self.attention, self.attention_norm = Attention(width, heads), nn.LayerNorm(width, eps)
        self.mlp, self.mlp_norm = Mlp(width), nn.LayerNorm(width, eps)

    def forward(self, x: Tensor, mask: Mask | None = None) -> Tensor:
        """B, S, D -> B, S, D."""
        x = self.attention_norm(x + self.attention(x, mask))
        normed: Tensor = self.mlp_norm(x + self.mlp(x))
        return normed
