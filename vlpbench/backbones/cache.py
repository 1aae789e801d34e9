"""Where a search stands: room for the keys and values of the words to come, filled one word at a time.

Axes: B queries, k beams, N heads, S words, H width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlpbench.plugin import Context, DecodingState, parts

__all__ = ["Cache"]


@dataclass
class Cache(DecodingState):
    """Keys and values of the words so far, and what all of them look at."""

    context: Context
    """What the words look at besides themselves."""
    beams: int
    """k."""
    length: int
    """Words there is room for."""
    at: int
    """Words there are."""
    past: list[parts.Keys]
    """B*k, N, S, H for each layer."""

    @classmethod
    def empty(cls, context: Context, beams: int, length: int, layers: int, heads: int) -> Cache:
        """Room for `length` words of each of `beams` beams of each row of the context."""
        rows, _, width = context.memory.shape
        shape = (rows * beams, heads, length, width // heads)
        past = [(context.memory.new_zeros(shape), context.memory.new_zeros(shape)) for _ in range(layers)]
        return cls(context, beams, length, 0, past)

    def next(self) -> int:
        """The place of one more word; ValueError where there is no room for it."""
        if self.at == self.length:  # writing past the end would change nothing, without a word
            raise ValueError(f"begin() made room for {self.length} words; this is one more")
        self.at += 1
        return self.at - 1

    def select(self, rows: Tensor, beams: Tensor) -> Cache:
        """Keep some queries and, of each, some beams; the past is copied, the context only picked."""
        flat = (rows[:, None] * self.beams + beams).flatten()
        past = [(keys[flat], values[flat]) for keys, values in self.past]
        everyone = torch.arange(self.context.memory.shape[0], device=rows.device)
        context = self.context if torch.equal(rows, everyone) else self.context.rows(rows)
        return Cache(context, beams.shape[1], self.length, self.at, past)
