"""Which part of a model is at work: stem, encoder, decoder, head or a teacher, on the way there and on the way back.

A part is what happens inside some calls: of the stem, of the backbone's abilities, of an objective; the innermost
counts. On the way back each node of autograd's graph belongs to the part that made it, which its number in the order of
making tells.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vlpbench.contract.abilities import ABILITIES, Backbone
from vlpbench.parts.heads import Projection
from vlpbench.training.learner import Learner

__all__ = ["PARTS", "Parted", "parted"]

PARTS = ("stem", "encoder", "decoder", "head", "teacher", "rest")
"""In the order of a step; "rest" is what no part is called for."""

_DECODER = ("decode", "begin", "step")
_HEAD = ("token_losses", "logits")


class Parted:
    """Tells whoever listens when one part leaves off: what happened since the last time belongs to it."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self.heard, self.at = heard, "rest"
        self._starts: list[int] = [0]
        self._parts: list[str] = ["rest"]
        self._back = False

    def turn(self, part: str) -> None:
        """From here on `part` is at work."""
        if part == self.at:
            return
        self.heard(self.at)
        self.at = part
        if not self._back:
            self._starts.append(_made_so_far())
            self._parts.append(part)

    def backward(self, loss: Tensor) -> None:
        """`loss.backward()`, in which each node belongs to the part that made it."""
        self._back = True
        handles = [node.register_prehook(self._turner(node)) for node in _nodes(loss)]
        loss.backward()
        for handle in handles:
            handle.remove()
        self.turn("rest")

    def _turner(self, node: Any) -> Callable[..., None]:
        part = self._parts[bisect_right(self._starts, node._sequence_nr()) - 1]
        return lambda *_: self.turn(part)


@contextmanager
def parted(learner: Learner, heard: Callable[[str], None]) -> Iterator[Parted]:
    """Tell the parts of what is done inside with a learner, which is as before afterwards."""
    told = Parted(heard)
    with ExitStack() as stack:
        for owner, name, part in _calls(learner):
            stack.enter_context(_wrapped(owner, name, part, told))
        yield told
        told.heard(told.at)


def _calls(learner: Learner) -> Iterator[tuple[nn.Module, str, str]]:
    """Object, method and part of each call that a part begins with."""
    backbones = [learner.backbone, *(one for one in learner.teachers.children())]
    for backbone in backbones:
        taught = backbone is not learner.backbone
        assert isinstance(backbone, Backbone)
        for name in (*(one for one in ABILITIES if one in backbone.offers), *_DECODER, *_HEAD):
            part = "decoder" if name in _DECODER else "head" if name in _HEAD else "encoder"
            yield backbone, name, "teacher" if taught else part
        if taught:
            continue
        if isinstance(stem := getattr(backbone, "stem", None), nn.Module):
            yield stem, "forward", "stem"
        for module in backbone.modules():
            if isinstance(module, Projection):
                yield module, "forward", "head"
    for term in learner.terms.children():
        yield term, "encode", "head"
        yield term, "loss", "head"


@contextmanager
def _wrapped(owner: nn.Module, name: str, part: str, told: Parted) -> Iterator[None]:
    """For a while, the method of this one object says when it begins and ends."""
    had, whole = owner.__dict__.get(name), getattr(owner, name)

    def call(*given: Any, **more: Any) -> Any:
        before = told.at
        told.turn(part)
        try:
            return whole(*given, **more)
        finally:
            told.turn(before)

    setattr(owner, name, call)
    try:
        yield
    finally:
        if had is None:
            delattr(owner, name)
        else:
            setattr(owner, name, had)


def _made_so_far() -> int:
    """The number that autograd gives to a node that is made now, in this thread."""
    with torch.enable_grad():
        made = torch.ones((), device="cpu", requires_grad=True).clone()
    assert made.grad_fn is not None
    return int(made.grad_fn._sequence_nr())


def _nodes(loss: Tensor) -> Iterator[Any]:
    """All nodes that a gradient passes, but the weights themselves, which follow whoever reaches them."""
    waiting, seen = [loss.grad_fn], set[Any]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        waiting.extend(following for following, _ in node.next_functions)
        if node.next_functions:
            yield node
