"""Full precision in the middle of a mixed one, on whatever device."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor

__all__ = ["full_precision"]


def full_precision(like: Tensor) -> contextlib.AbstractContextManager[None]:
    """No automatic casts on the device of a tensor; a meta tensor, which has none, is left alone."""
    return contextlib.nullcontext() if like.is_meta else torch.autocast(like.device.type, enabled=False)
