"""Weights of attention and MLP blocks kept in parts, one a process (FSDP2, arXiv 2304.11277), whole again at the end.

Each block's weights come together for the time that it computes; their gradients and what the optimiser remembers stay
in parts. What is left, embeddings, norms, stems and heads, every process keeps whole. Blocks are asked by more methods
than `forward`, so each public one brings the weights together.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from vlpbench.device import Device
from vlpbench.parts import ranks
from vlpbench.parts.attention import Attention
from vlpbench.parts.block import Mlp

__all__ = ["in_parts"]


@contextmanager
def in_parts(model: nn.Module, device: Device) -> Iterator[None]:
    """Inside, the blocks' weights are in parts; where that ends well, they are the whole ones again afterwards.

    Every process must compute the same blocks in the same order.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    mesh = init_device_mesh(device.kind, (ranks.many(),))
    blocks = {name: one for name, one in model.named_modules() if isinstance(one, Attention | Mlp)}
    empty = {}
    for name, block in blocks.items():
        empty[name] = copy.deepcopy(block).to("meta")
        asked = _asked(type(block))
        sharded: Any = fully_shard(block, mesh=mesh, reshard_after_forward=True)
        sharded.set_gradient_divide_factor(1.0)  # each process's loss is its own part of the joint one
        sharded.set_force_sum_reduction_for_comms(True)
        for method in asked:
            register_fsdp_forward_method(sharded, method)
    yield
    for name, block in blocks.items():
        place, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(place), leaf, _filled(empty[name], block, device))


def _asked(cls: type) -> list[str]:
    """The public methods that a block's own classes bring beside `forward`."""
    own = [one for one in cls.__mro__ if issubclass(one, nn.Module) and not one.__module__.startswith("torch.")]
    named = [name for one in own for name, value in vars(one).items() if callable(value) and not name.startswith("_")]
    return [name for name in dict.fromkeys(named) if name != "forward"]


@torch.no_grad()
def _filled(empty: nn.Module, block: nn.Module, device: Device) -> nn.Module:
    """A block of its own class with the whole weights of one in parts."""
    made = empty.to_empty(device=device.torch).train(block.training)
    for name, weight in made.named_parameters():
        weight.copy_(ranks.whole(block.get_parameter(name)))
    for name, buffer in made.named_buffers():
        buffer.copy_(block.get_buffer(name))
    return made
