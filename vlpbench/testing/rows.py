"""Rows of batches, of arrays on the host or of tensors: some of one batch, or those of two behind each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vlpbench.types import Batch

__all__ = ["SHARED", "first_of", "picked"]

SHARED = ("tokens", "mask", "image_ids", "caption_ids")
"""The arrays of a batch that have a row for each sample, beside pictures and extras."""


def picked(batch: Batch, index: Any) -> Batch:
    """Some rows of a batch, of arrays or tensors."""
    arrays = {name: getattr(batch, name)[index] for name in SHARED}
    extras = {name: array[index] for name, array in batch.extras.items()}
    return replace(batch, images=None if batch.images is None else batch.images[index], extras=extras, **arrays)


def first_of(a: Batch, b: Batch, many: int) -> Batch:
    """The first `many` samples of `a` before the rest of `b`, both of tensors."""

    def join(x: Any, y: Any) -> Tensor:
        return torch.cat([x[:many], y[many:]])

    arrays: dict[str, Any] = {name: join(getattr(a, name), getattr(b, name)) for name in SHARED}
    extras = {name: join(a.extras[name], array) for name, array in b.extras.items()}
    return replace(b, images=None if b.images is None else join(a.images, b.images), extras=extras, **arrays)
