"""A backbone that tells afterwards what it was asked: every outermost call of its public methods, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from vlpbench.contract.abilities import ABILITIES, Backbone, Context

__all__ = ["Call", "recorded", "tensors_of"]

_METHODS = (*ABILITIES, "see", "read", "begin", "step", "token_losses", "logits", "word_vectors")


@dataclass(frozen=True)
class Call:
    """One call."""

    name: str
    """The method."""
    given: tuple[Any, ...]
    """Its arguments, by position, then those by name."""
    result: Any
    """What it returned."""

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The floating-point tensors in the result."""
        return tensors_of(self.result)


def tensors_of(result: Any) -> tuple[Tensor, ...]:
    """The floating-point tensors that an ability returned."""
    if isinstance(result, Context):
        return (result.memory,)
    parts = result if isinstance(result, tuple) else (result,)
    return tuple(part for part in parts if isinstance(part, Tensor) and part.is_floating_point())


@contextmanager
def recorded(
    backbone: Backbone, answers: Mapping[str, Sequence[Any]] | None = None, depth: list[int] | None = None
) -> Iterator[list[Call]]:
    """Inside, calls of the backbone are noted; calls that it makes of itself are not.

    `answers` maps a method to results that its calls give, in order, instead of their own. `depth`, a list of one 0,
    is above 0 while a call is under way.
    """
    calls: list[Call] = []
    depth = [0] if depth is None else depth
    for name in _METHODS:
        waiting = list((answers or {}).get(name, ()))
        setattr(backbone, name, _noting(name, getattr(backbone, name), calls, depth, waiting))
    try:
        yield calls
    finally:
        for name in _METHODS:
            delattr(backbone, name)


def _noting(
    name: str, method: Callable[..., Any], calls: list[Call], depth: list[int], waiting: list[Any]
) -> Callable[..., Any]:
    def ask(*given: Any, **named: Any) -> Any:
        depth[0] += 1
        try:
            result = method(*given, **named)
        finally:
            depth[0] -= 1
        if depth[0] == 0:
            result = waiting.pop(0) if waiting else result
            calls.append(Call(name, (*given, *named.values()), result))
        return result

    return ask
