"""What one step costs by part, counted on shapes alone: operations, numbers moved, weights. Nothing is computed.

Axes: B samples of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.parts.heads import WordTable
from vlpbench.training.cost import counted_flops
from vlpbench.training.joint import StepBatches, joint_loss
from vlpbench.training.learner import Learner
from vlpbench.training.parted import PARTS, parted

__all__ = ["Account", "Work", "account"]

_NUMBER = 4
"""Bytes of a weight, of its gradient and of each of the optimiser's two means: all are fp32, mixed precision or not."""


@dataclass(frozen=True)
class Work:
    """What one part does in a step."""

    forward: int = 0
    """Floating-point operations on the way there, a multiply and an add apart."""
    backward: int = 0
    """The same on the way back."""
    moved: int = 0
    """Numbers read and written, both ways, as if nothing were fused or cached."""
    weights: int = 0
    """Numbers that it learns; a weight that several parts use belongs to the first, the word table to the head."""

    @property
    def flops(self) -> int:
        """Both ways."""
        return self.forward + self.backward

    def seconds(self, peak: float, bandwidth: float, size: int = 2) -> float:
        """The least that a device takes (roofline): FLOP and bytes a second, bytes of a number."""
        return max(self.flops / peak, self.moved * size / bandwidth)


@dataclass(frozen=True)
class Account:
    """One step: gradients of a batch, and the update."""

    parts: Mapping[str, Work]
    """By part, in the order of `PARTS`; those that do nothing and have nothing are left out."""
    samples: int
    """B: samples of the step, pairs and texts."""

    @property
    def flops(self) -> int:
        """Of the whole step; the optimiser's are not counted, as in papers."""
        return sum(work.flops for work in self.parts.values())

    @property
    def weights(self) -> int:
        """Numbers that are learnt."""
        return sum(work.weights for work in self.parts.values())

    @property
    def optimiser(self) -> Work:
        """The update: it reads a weight, its gradient and two means, and writes three of them."""
        return Work(moved=7 * self.weights)

    def bytes(self) -> dict[str, int]:
        """What lies in memory from step to step, and the gradients."""
        one = _NUMBER * self.weights
        return {"weights": one, "gradients": one, "optimiser": 2 * one}


def account(build: Callable[[], Learner], batches: StepBatches) -> Account:
    """Count one step of the learner that `build` makes, with batches of this shape on a CPU.

    Weights are never drawn: `build` is called where tensors have shapes alone. UserError where a model looks at
    numbers, which shapes have not.
    """
    with suppress(Exception), torch.device("meta"):  # a stranger's code may ask "meta" for what it has not
        return _counted(build(), _without_numbers(batches), Device("meta"))
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            return _counted(build(), batches, Device("cpu"))
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"this step cannot be counted on shapes alone: {first}") from error


def _counted(learner: Learner, batches: StepBatches, device: Device) -> Account:
    learner.train()
    found = {part: {"forward": 0, "backward": 0, "moved": 0, "weights": 0} for part in PARTS}
    way = "forward"
    with _Movement(learner) as movement, counted_flops() as flops:
        before = 0

        def heard(part: str) -> None:
            nonlocal before
            mine, now = found[part], flops()
            mine[way] += now - before
            mine["moved"] += movement.taken()
            mine["weights"] += movement.met()
            before = now

        with parted(learner, heard) as told:
            loss = joint_loss(learner, batches, device)[0]
            heard(told.at)
            way = "backward"
            told.backward(loss)
    found["rest"]["weights"] += movement.unmet()
    found["head"]["weights"] += movement.words
    works = {part: Work(**one) for part, one in found.items()}
    samples = sum(len(next(iter(views.values()))) for views in batches.values())
    return Account({part: work for part, work in works.items() if work != Work()}, samples)


class _Movement(TorchDispatchMode):
    """Adds up the numbers that operations read and write, and notes which weights they meet."""

    def __init__(self, learner: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        tables = {id(module.weight) for module in learner.modules() if isinstance(module, WordTable)}
        learnt = {id(one): one.numel() for one in learner.parameters() if one.requires_grad}
        self.words = sum(learnt.pop(one, 0) for one in tables)
        self._numbers, self._new, self._waiting = 0, 0, learnt

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        given = list(_tensors((args, kwargs)))
        for one in given:
            self._new += self._waiting.pop(id(one), 0)
        if not _is_view(func):
            self._numbers += sum(one.numel() for one in (*given, *_tensors(made)) if one.is_floating_point())
        return made

    def taken(self) -> int:
        """Numbers moved since it was last asked."""
        numbers, self._numbers = self._numbers, 0
        return numbers

    def met(self) -> int:
        """Numbers of the weights that were met for the first time since it was last asked."""
        new, self._new = self._new, 0
        return new

    def unmet(self) -> int:
        """Numbers of the weights that no operation has met."""
        return sum(self._waiting.values())


def _is_view(func: Any) -> bool:
    """Whether an operation only looks at its input in another way."""
    returned = func._schema.returns
    return bool(returned) and all(one.alias_info and not one.alias_info.is_write for one in returned)


def _tensors(held: Any) -> Iterator[Tensor]:
    if isinstance(held, Tensor):
        yield held
    elif isinstance(held, list | tuple):
        for one in held:
            yield from _tensors(one)
    elif isinstance(held, dict):
        yield from _tensors(list(held.values()))


def _without_numbers(batches: StepBatches) -> StepBatches:
    """The same batches as shapes."""
    return {
        kind: {
            name: replace(view, **{one.name: _shape(getattr(view, one.name)) for one in fields(view)})
            for name, view in views.items()
        }
        for kind, views in batches.items()
    }


def _shape(held: Any) -> Any:
    if isinstance(held, Tensor):
        return held.to("meta")
    if isinstance(held, tuple):
        return tuple(map(_shape, held))
    return {key: _shape(one) for key, one in held.items()} if isinstance(held, dict) else held
