"""Rows that several processes hold together, and sums over all of them. In one process every function is the identity.

Every process holds equally many rows; together they are in the order of the ranks.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["gather", "many", "mine", "own", "total"]


def many() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather(rows: Tensor) -> Tensor:
    """All processes' rows (B, ... -> B times processes, ...), with gradient to each of them."""
    if many() == 1:
        return rows
    if rows.dtype == torch.bool:
        return gather(rows.byte()).bool()
    gathered: Tensor = _Gather.apply(rows)
    return gathered


def own(rows: Tensor) -> Tensor:
    """This process's rows, which is what a function is handed anyway: the word that stands opposite `gather`."""
    return rows


def mine(rows: Tensor) -> Tensor:
    """This process's rows (B, ...) of what all processes hold together (B times processes, ...)."""
    return rows if many() == 1 else rows.chunk(many())[dist.get_rank()]


def total(value: Tensor) -> Tensor:
    """The sum of all processes' values, without gradient."""
    if many() > 1:
        value = value.clone()
        dist.all_reduce(value)
    return value


class _Gather(torch.autograd.Function):
    """Without the sum over processes in `backward`, a row would lack what the others' losses say of it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(many())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        return total(gradient.contiguous()).chunk(many())[dist.get_rank()]
