"""Who may look at whom, in parts that stay small, where one mask of all rows, heads and tokens would be large.

A bias of each head and a mask of each row in one tensor are B x N x M x M: at 512 rows, 12 heads and 228 tokens 1.28 GB
in fp32, and 0.64 GB more in bf16, in every layer. Apart they are 2.5 MB and 0.1 MB. A kernel takes one addend only, so
rows go another way: queries get one dimension more that is 1, keys one that is very low where nothing is. Their product
adds exactly 0 to what may be looked at, and what may not is exactly 0 behind the softmax, in fp32 and in bf16.
On a CPU and where several models run as one, tensors are joined as they were: there it is faster, or folded anyway.
Axes: B batch, N heads, Q queries, K keys, M tokens, H width of a head.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from vlpbench.parts.masks import padding
from vlpbench.parts.seeds import are_together

__all__ = ["Mask", "Sight", "apart", "are_apart"]

LOW = -(2.0**20)
"""Added to a logit, before it is divided by the root of the width, where no key is; a number that bf16 has."""
MORE = 8
"""Dimensions more, one of which is used: kernels want a multiple of 8."""

_apart: ContextVar[bool | None] = ContextVar("apart", default=None)
"""Whether parts stay apart; None: on all devices but a CPU."""


@contextmanager
def apart(wish: bool) -> Iterator[None]:
    """Inside, parts stay apart on every device, or on none."""
    mark = _apart.set(wish)
    try:
        yield
    finally:
        _apart.reset(mark)


def are_apart(like: Tensor) -> bool:
    """Whether parts stay apart on the device of this tensor."""
    if are_together():
        return False
    wish = _apart.get()
    return like.device.type not in ("cpu", "meta") if wish is None else wish


@dataclass(frozen=True)
class Sight:
    """Where each row's keys are, and what all rows have in common. A row without any key sees all, not nothing."""

    present: Tensor | None = None
    """B, K bool: the keys that are there; None: all of them."""
    shared: Tensor | None = None
    """1, 1, Q, K bool: who may look at whom besides; None: everybody."""
    bias: Tensor | None = None
    """1, N, Q, K: added to the logits."""
    causal: bool = False
    """Whether `shared` is the plain causal mask, for which kernels need no tensor."""

    def dense(self) -> Tensor | None:
        """All of it as one mask: boolean, or an additive bias."""
        mask = self.shared
        if self.present is not None:
            mask = padding(self.present) if mask is None else mask & padding(self.present)
        return with_bias(self.bias, mask)

    def among_rows(self) -> Tensor | None:
        """What all rows have in common, as one mask."""
        return with_bias(self.bias, self.shared)

    def widened(self, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        """B, N, Q, H and B, N, K, H -> the same, wider, so that keys that are not there are never looked at."""
        if self.present is None:
            return query, key
        low = torch.zeros_like(self.present, dtype=key.dtype).masked_fill(~self.present, LOW)
        ones = query.new_ones(()).expand(*query.shape[:-1], 1)
        lows = low[:, None, :, None].expand(*key.shape[:-1], 1)
        wide = [torch.cat([query, ones], -1), torch.cat([key, lows], -1)]
        return pad(wide[0], (0, MORE - 1)), pad(wide[1], (0, MORE - 1))


Mask = Tensor | Sight
"""Who may look at whom: boolean (True = may look), an additive bias, or both in parts."""


def with_bias(bias: Tensor | None, mask: Tensor | None) -> Tensor | None:
    """An additive bias and a boolean mask in one: the bias where one may look, minus infinity elsewhere."""
    if bias is None or mask is None:
        return bias if mask is None else mask
    return torch.where(mask, bias, torch.full((), -torch.inf, dtype=bias.dtype, device=bias.device))
