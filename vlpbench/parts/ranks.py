"""Rows that several processes hold together, and sums over all of them. In one process every function is the identity.

Every process holds equally many rows; together they are in the order of the ranks.
"""

from __future__ import annotations

import json
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["agreed", "all_said", "filled", "gather", "is_in_parts", "many", "mine", "of_first", "own", "part",
           "rank", "said_by_first", "summed", "total", "whole"]


def many() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if many() > 1 else 0


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
    return rows if many() == 1 else rows.chunk(many())[rank()]


def total(value: Tensor) -> Tensor:
    """The sum of all processes' values, without gradient."""
    if many() > 1:
        value = value.clone()
        dist.all_reduce(value)
    return value


def summed(value: Tensor) -> Tensor:
    """The sum of all processes' values, with gradient: what one process holds is in the losses of all."""
    if many() == 1:
        return value
    found: Tensor = _Sum.apply(value)
    return found


def agreed(*flags: bool) -> tuple[bool, ...]:
    """Each flag, true for all processes where it is for one. The host alone waits: no device is asked."""
    if many() == 1:
        return flags
    said = torch.tensor(flags, dtype=torch.uint8)
    dist.all_reduce(said, dist.ReduceOp.MAX)
    return tuple(bool(one) for one in said.tolist())


def all_said(value: Any) -> list[Any]:
    """What each process says (anything that JSON can hold), in the order of the ranks."""
    if many() == 1:
        return [value]
    written = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
    lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(many())]
    dist.all_gather(lengths, torch.tensor([len(written)]))
    longest = max(int(one) for one in lengths)
    parts = [torch.zeros(longest, dtype=torch.uint8) for _ in lengths]
    dist.all_gather(parts, torch.nn.functional.pad(written, (0, longest - len(written))))
    said = [part[: int(length)] for part, length in zip(parts, lengths, strict=True)]
    return [json.loads(one.numpy().tobytes()) for one in said]


def said_by_first(value: Any) -> Any:
    """What the first process says (anything that JSON can hold); what the others say is not looked at."""
    if many() == 1:
        return value
    written = torch.frombuffer(bytearray(json.dumps(value if rank() == 0 else None).encode()), dtype=torch.uint8)
    length = torch.tensor([len(written)])
    dist.broadcast(length, 0)
    if rank():
        written = torch.zeros(int(length), dtype=torch.uint8)
    dist.broadcast(written, 0)
    return json.loads(written.numpy().tobytes())


def of_first(tensor: Tensor) -> Tensor:
    """The first process's tensor, of any kind of numbers, in all of them; each hands over one of that shape."""
    if many() == 1:
        return tensor
    found = tensor.detach().clone(memory_format=torch.contiguous_format).reshape(-1)
    if found.numel():
        dist.broadcast(found.view(torch.uint8), 0)
    return found.view(tensor.shape)


def is_in_parts(tensor: Tensor) -> bool:
    """Whether each process holds only a part of it (torch's DTensor)."""
    return hasattr(tensor, "full_tensor")


@torch.no_grad()
def whole(tensor: Any) -> Tensor:
    """All of a tensor that may be in parts, without gradient; all processes must ask."""
    found: Tensor = tensor.detach().full_tensor() if is_in_parts(tensor) else tensor.detach()
    return found


def part(tensor: Any) -> Tensor:
    """What this process holds of it, in the same memory."""
    found: Tensor = tensor.to_local() if is_in_parts(tensor) else tensor
    return found


@torch.no_grad()
def filled(tensor: Any, value: Tensor) -> Tensor:
    """A tensor that may be in parts, with the numbers of a whole one that every process has."""
    if is_in_parts(tensor):
        from torch.distributed.tensor import distribute_tensor

        there = value.to(tensor.device, tensor.dtype)
        value = part(distribute_tensor(there, tensor.device_mesh, tensor.placements, src_data_rank=None))
    part(tensor).copy_(value)
    found: Tensor = tensor
    return found


class _Sum(torch.autograd.Function):
    """Each process's value is part of what all of them hold, so its gradient is the sum of all of theirs."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return total(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        return total(gradient.contiguous())


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
        return total(gradient.contiguous()).chunk(many())[rank()]
