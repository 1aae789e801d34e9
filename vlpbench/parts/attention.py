"""Multi-head attention with keys and values that can be made once and asked many times.

Axes: B batch, C candidates, Q queries, K keys, M shared keys, D width, N heads, H width of a head.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from vlpbench.parts.seeds import are_together, attention_of_each
from vlpbench.parts.sight import Mask, Sight, are_apart, with_bias

__all__ = ["Attention", "Keys", "attend", "joined"]

Keys = tuple[Tensor, Tensor]
"""Keys and values: each B, N, K, H."""


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Mask | None = None, causal: bool = False) -> Tensor:
    """B, N, Q, H and twice B, N, K, H -> B, N, Q, H: the one place that calls torch's kernels.

    `mask` is boolean (True = may look) or an additive bias, and broadcasts against B, N, Q, K, or a `Sight`; `causal`
    says without a mask that a query sees the keys up to its own place (Q = K).
    """
    if isinstance(mask, Sight):
        if are_apart(query):
            return _apart(query, key, value, mask)
        mask = mask.dense()
    if are_together():
        return attention_of_each(query, key, value, mask, causal)
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)


def _apart(query: Tensor, key: Tensor, value: Tensor, sight: Sight) -> Tensor:
    """The same where no mask of all rows is made; the scale is that of the width before it was widened."""
    plainly = sight.causal and sight.bias is None
    scale = query.shape[-1] ** -0.5
    query, key = sight.widened(query, key)
    mask = None if plainly else sight.among_rows()
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=plainly, scale=scale)


class Attention(nn.Module):
    """Scaled dot-product attention (arXiv 1706.03762); masks as in `attend`."""

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

    def ask(self, x: Tensor, keys: Keys, mask: Mask | None = None) -> Tensor:
        """B, Q, D -> B, Q, D: each query's mean of the values it may look at."""
        seen = attend(self._split(self.query(x)), *keys, mask)
        return self.out(seen.transpose(1, 2).flatten(2))

    def ask_both(self, x: Tensor, shared: Keys, own: Keys, mask: Tensor | None = None) -> Tensor:
        """B, C, Q, D -> B, C, Q, D: each query looks at keys that all candidates of its row share and at its own.

        `shared` is B, N, M, H and is not copied for each candidate; `own` is B*C, N, K, H; the boolean `mask` (B or 1,
        1, Q, M + K) says for both, the shared first, what may be looked at.
        """
        many, length = x.shape[1], x.shape[2]
        if many == 1:
            keys = torch.cat([shared[0], own[0]], 2), torch.cat([shared[1], own[1]], 2)
            return self.ask(x[:, 0], keys, mask)[:, None]
        query = self._split(self.query(x.flatten(1, 2)))  # B, N, C*Q, H
        key, value = (part.unflatten(0, (-1, many)).transpose(1, 2) for part in own)  # B, N, C, K, H
        far = (query @ shared[0].mT).unflatten(2, (many, length))  # B, N, C, Q, M
        near = query.unflatten(2, (many, length)) @ key.mT  # B, N, C, Q, K
        logits = torch.cat([far, near], -1) * query.shape[-1] ** -0.5
        if mask is not None:
            logits = logits.masked_fill(~mask[:, :, None], -torch.inf)
        over, beside = logits.softmax(-1).to(value.dtype).split([far.shape[-1], near.shape[-1]], -1)
        seen = (over.flatten(2, 3) @ shared[1]).unflatten(2, (many, length)) + beside @ value
        return self.out(seen.permute(0, 2, 3, 1, 4).flatten(3))

    def forward(self, x: Tensor, mask: Mask | None = None) -> Tensor:
        """B, Q, D -> B, Q, D: self-attention."""
        return self.ask(x, self.keys(x), mask)


def joined(bias: Tensor | None, mask: Mask | None) -> Mask | None:
    """An additive bias and a mask in one: the bias where one may look, minus infinity elsewhere."""
    if isinstance(mask, Sight):
        return replace(mask, bias=bias)
    return with_bias(bias, mask)
