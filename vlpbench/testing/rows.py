"""Rows of two batches behind each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vlpbench.types import Batch

__all__ = ["SHARED", "first_of"]

SHARED = ("tokens", "mask", "image_ids", "caption_ids")
"""The arrays of a batch that have a row for each sample, beside pictures and extras."""


def first_of(a: Batch, b: Batch, many: int) -> Batch:
    """The first `many` samples of `a` before the rest of `b`, both of tensors."""

    def join(x: Any, y: Any) -> Tensor:
        return torch.cat([x[:many], y[many:]])

    arrays: dict[str, Any] = {name: join(getattr(a, name), getattr(b, name)) for name in SHARED}
    extras = {name: join(a.extras[name], array) for name, array in b.extras.items()}
    images = None if b.images is None else join(a.images, b.images)
    others = tuple(map(join, a.others, b.others))
    return replace(b, images=images, others=others, extras=extras, **arrays)
