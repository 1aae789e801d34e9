"""Several processes that train one cell: equal beginnings, batch norm over all samples, shared gradients; then undone.

Each process has its own rows of every batch (`data.shard`) and its own chance for dropout; everything else is the same
in all of them, so that each ends with the same weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.parts import ranks
from vlpbench.parts.joint_norm import JointBatchNorm
from vlpbench.training.in_parts import in_parts
from vlpbench.training.learner import Learner
from vlpbench.training.sharing import Sharing
from vlpbench.training.snapshot import Snapshot

__all__ = ["chance_of", "clipped", "from_first", "prepared"]

_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@contextmanager
def prepared(learner: Learner, device: Device, sharded: bool = False) -> Iterator[None]:
    """Inside, the learner trains with those of the other processes; in one process nothing is done.

    `sharded` keeps weights in parts. Where it ends in an error, the learner is of no more use.
    """
    if ranks.many() == 1:
        yield
        return
    with ExitStack() as undoing:
        _begin_alike(learner)
        undoing.enter_context(_joint_norms(learner, device))
        if sharded:
            undoing.enter_context(in_parts(learner, device))
        learner.sharing = Sharing(weight for weight in learner.parameters() if not ranks.is_in_parts(weight))
        undoing.callback(setattr, learner, "sharing", None)
        undoing.callback(learner.sharing.close)
        learner.sharing.listen()
        yield


def chance_of(stream: str) -> str:
    """The name of a stream of chance on the device: each process its own, so that no two rows share a mask of dropout.

    The first process's is the stream of one that is alone.
    """
    return f"{stream}/{ranks.rank()}" if ranks.rank() else stream


def from_first(snapshot: Snapshot | None) -> Snapshot | None:
    """The snapshot that the first process has found, in all of them; None where it has none."""
    if ranks.many() == 1:
        return snapshot
    found = snapshot if ranks.rank() == 0 else None
    told = None if found is None else {
        "step": found.step, "plain": dict(found.plain),
        "tensors": {name: [str(x.dtype).removeprefix("torch."), *x.shape] for name, x in found.tensors.items()},
    }
    told = ranks.said_by_first(told)
    if told is None:
        return None
    tensors = {}
    for name, (kind, *shape) in told["tensors"].items():
        here = torch.empty(shape, dtype=getattr(torch, kind)) if found is None else found.tensors[name]
        tensors[name] = ranks.of_first(here.cpu())
    return Snapshot(told["step"], tensors, told["plain"])


@torch.no_grad()
def clipped(learner: Learner, most: float) -> Tensor:
    """Scale all gradients down where their norm together (0-d, given back) is more; also where some are in parts."""
    gradients = [weight.grad for weight in learner.parameters() if weight.grad is not None]
    parts = [ranks.part(one) for one in gradients if ranks.is_in_parts(one)]
    if not parts:
        return nn.utils.clip_grad_norm_(learner.parameters(), most)
    wholes = [one for one in gradients if not ranks.is_in_parts(one)]
    squares = [torch.stack(torch._foreach_norm(some)).square().sum() for some in (parts, wholes) if some]
    norm = (ranks.total(squares[0]) + sum(squares[1:])).sqrt()
    torch._foreach_mul_([*parts, *wholes], (most / (norm + 1e-6)).clamp_max(1.0))
    return norm


@torch.no_grad()
def _begin_alike(learner: Learner) -> None:
    """The first process's weights and buffers, in all of them."""
    for value in (*learner.parameters(), *learner.buffers()):
        value.copy_(ranks.of_first(value))


@contextmanager
def _joint_norms(learner: Learner, device: Device) -> Iterator[None]:
    """Inside, batch norm sees the samples of all processes; weights and statistics stay where they are."""
    teachers = set(learner.teachers.modules())
    norms = [
        (name, module)
        for name, module in learner.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module not in teachers
    ]
    for name, norm in norms:
        if type(norm) not in _PLAIN:
            raise UserError(
                f"{name} is a {type(norm).__name__}, a batch norm that cannot see the samples of other processes",
                "backbone", "take a stem with plain batch norm or none, or train the cell in one process",
            )
    try:
        for name, norm in norms:
            _put(learner, name, _over_all(norm, device))
        yield
    finally:
        for name, norm in norms:
            norm.train(learner.get_submodule(name).training)
            _put(learner, name, norm)


def _over_all(norm: nn.modules.batchnorm._BatchNorm, device: Device) -> nn.Module:
    """The same norm, with the same weights and buffers, over the samples of all processes."""
    if device.kind == "cpu":
        return JointBatchNorm(norm)
    made = nn.SyncBatchNorm(
        norm.num_features, norm.eps, norm.momentum or 0.0, norm.affine, norm.track_running_stats, device="meta"
    )
    made.momentum = norm.momentum
    made._parameters, made._buffers, made.training = norm._parameters, norm._buffers, norm.training
    return made


def _put(learner: Learner, name: str, module: nn.Module) -> None:
    where, _, leaf = name.rpartition(".")
    setattr(learner.get_submodule(where), leaf, module)
