"""The one place where attention masks are made, and their one convention: True = may look.

Axes: B batch, Q queries, K keys. Every mask broadcasts against B, heads, Q, K.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["behind", "causal", "or_itself", "padding", "prefix", "visible"]


def padding(present: Tensor) -> Tensor:
    """B, K -> B, 1, 1, K: every query looks at the keys that are present."""
    return present[:, None, None, :]


def causal(length: int, device: torch.device | None = None) -> Tensor:
    """1, 1, Q, K with Q = K = length: a position looks at itself and at what came before."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()[None, None]


def prefix(lengths: Tensor, length: int) -> Tensor:
    """B, 1, Q, K: causal, but the first `lengths` (B) positions of a row all see each other."""
    known = torch.arange(length, device=lengths.device)[None] < lengths[:, None]
    return causal(length, lengths.device) | known[:, None, None, :]


def behind(present: Tensor | None, before: int, mask: Tensor) -> Tensor:
    """B or 1, 1, Q, M + K: queries see what is present (B, M) of `before` = M keys, then what `mask` (1, 1, Q, K) says.

    None is present: all of it.
    """
    far = mask.new_ones(1, 1, 1, before) if present is None else padding(present)
    shape = (len(far), 1, mask.shape[2], -1)
    return torch.cat([far.expand(shape), mask.expand(shape)], -1)


def or_itself(mask: Tensor) -> Tensor:
    """The mask (..., Q, K with Q = K), but every position may look at itself: a softmax over nothing would be NaN."""
    return mask | torch.eye(mask.shape[-1], dtype=torch.bool, device=mask.device)


def visible(how: str, images: int, texts: int, device: torch.device | None = None) -> Tensor | None:
    """What a sequence of `images` picture tokens and then `texts` words may see, or None for everything.

    `all`: everything; `causal`: what came before, picture tokens in raster order included; `causal-text`: pictures
    see all of the picture, words see the picture and the words before them. 1, 1, Q, K.
    """
    if how == "all":
        return None
    lower = causal(images + texts, device)
    if how == "causal":
        return lower
    if how == "causal-text":
        both = torch.arange(images + texts, device=device) < images
        return lower | (both[:, None] & both[None, :])[None, None]
    raise ValueError(f"visible must be 'all', 'causal' or 'causal-text', not {how!r}")
