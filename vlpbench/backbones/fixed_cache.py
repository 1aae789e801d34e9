"""Where a search stands in memory that is there from the start: all steps have one shape and write in place.

Axes: B queries, k beams, F places of words (and of what stands before them), f of them filled at the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from vlpbench.plugin import Context, DecodingState, FixedState, parts

if TYPE_CHECKING:
    from vlpbench.backbones.cache import Cache

__all__ = ["FixedCache"]


@dataclass
class FixedCache(FixedState):
    """As a `Cache`, words stay where they were written, and beams that go on change only what each may look at."""

    context: Context
    """What the words look at besides themselves."""
    past: list[parts.FixedPast]
    """What was said, for each layer."""
    seen: Tensor
    """B, k, F: what each beam looks at."""
    at: Tensor
    """0-d: the place of the last word."""
    places: Tensor
    """k: where each beam's last word was written, among F; all layers share it."""
    begun: tuple[int, int]
    """Words that there were at the start, and f."""

    @classmethod
    def like(
        cls, context: Context, written: list[parts.Keys], size: tuple[int, int], ahead: int, words: int
    ) -> FixedCache:
        """Room for `ahead` places behind what is written, for a `size` of B rows and k beams; nothing is in it."""
        (rows, beams), device = size, context.memory.device
        filled = written[0][0].shape[2]
        places = torch.zeros(beams, dtype=torch.long, device=device)
        past = [parts.FixedPast.like(keys, rows, ahead, places) for keys in written]
        empty = _mapped(context, lambda part: part.new_zeros(rows, *part.shape[1:]))
        seen = torch.zeros(rows, beams, filled + ahead, dtype=torch.bool, device=device)
        at = torch.zeros((), dtype=torch.long, device=device)
        return cls(empty, past, seen, at, places, (words, filled))

    def next(self) -> tuple[Tensor, Tensor]:
        """The place of one more word (0-d), and who looks at what with it there (B, 1, k, F)."""
        self.at.add_(1)
        self.places.add_(self.seen.shape[1])
        itself = torch.eye(self.seen.shape[1], dtype=torch.bool, device=self.seen.device)
        self.seen.index_copy_(2, self.places, itself.expand(len(self.seen), -1, -1))
        return self.at, self.seen[:, None]

    def load(self, state: DecodingState) -> None:
        """Start from a `Cache` of one beam a query."""
        given: Cache = state  # type: ignore[assignment]
        written, (words, filled) = [layer.written() for layer in given.past], self.begun
        same = [part.shape[1:] for part in _tensors(given.context)] == [part.shape[1:] for part in self._shared()]
        if given.at != words or written[0][0].shape[2] != filled or not same:
            raise ValueError("this state was made for another number of words, or of tokens to look at")
        for own, part in zip(self._shared(), _tensors(given.context), strict=True):
            own[: len(part)] = part
        for layer, keys in zip(self.past, written, strict=True):
            layer.begin(keys)
        beams = self.seen.shape[1]
        self.seen.zero_()
        self.seen[: len(given.seen), :, :filled] = given.seen
        self.at.fill_(words - 1)
        torch.arange(filled - beams, filled, out=self.places)

    def going_on(self, beams: Tensor) -> Self:
        """Let each beam look at what the one it goes on from looked at."""
        self.seen.copy_(self.seen.gather(1, beams[..., None].expand(-1, -1, self.seen.shape[2])))
        return self

    def pull(self, rows: Tensor) -> None:
        """Copy rows to the front."""
        for part in (*self._shared(), self.seen, *(part for layer in self.past for part in layer.room)):
            part[: len(rows)] = part[rows]

    def front(self, rows: int) -> Self:
        """Views of the first rows; the place of the words is shared."""
        context = _mapped(self.context, lambda part: part[:rows])
        past = [layer.front(rows) for layer in self.past]
        return type(self)(context, past, self.seen[:rows], self.at, self.places, self.begun)

    def _shared(self) -> list[Tensor]:
        return list(_tensors(self.context))


def _tensors(context: Context) -> Iterator[Tensor]:
    """All of a context, in one order."""
    for made in (context.memory, context.mask, *(context.keys[name] for name in sorted(context.keys))):
        if isinstance(made, Tensor):
            yield made
        elif made is not None:
            yield from made


def _mapped(context: Context, change: Any) -> Context:
    """The context with each tensor changed."""

    def changed(made: Any) -> Any:
        return change(made) if isinstance(made, Tensor) else tuple(changed(part) for part in made)

    mask = None if context.mask is None else change(context.mask)
    return Context(change(context.memory), mask, {name: changed(made) for name, made in context.keys.items()})
