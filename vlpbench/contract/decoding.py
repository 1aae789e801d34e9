"""Where a search for sentences stands: the cached past of each beam of each query.

Axes: B queries, k beams.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor

__all__ = ["DecodingState", "FixedState"]


class DecodingState(ABC):
    """Where a search stands: the cached past of each beam of each query."""

    @abstractmethod
    def select(self, rows: Tensor, beams: Tensor) -> DecodingState:
        """Keep the queries `rows` (N indices) and, of each, go on from the beams `beams` (N, k indices)."""

    def going_on(self, beams: Tensor) -> DecodingState:
        """Keep all queries and, of each, go on from the beams `beams` (B, k indices)."""
        return self.select(torch.arange(len(beams), device=beams.device), beams)

    def fixed(self, rows: int, beams: int) -> FixedState | None:
        """An empty state for `rows` queries of `beams` beams each, whose steps all have one shape; `load` fills it.

        None where a backbone has nothing of the kind: then states of growing shape do.
        """
        return None


class FixedState(DecodingState):
    """A state whose steps all have one shape and write in place, so that one can be made a graph and played again.

    It stands for as many words as there was room for in the state that it was made of. Its tensors stay where they
    are: who goes on from other beams, or with fewer rows, goes on with this one.
    """

    @abstractmethod
    def load(self, state: DecodingState) -> None:
        """Start from where `state` stands: its queries (B at most) become the first, all beams its only beam.

        ValueError for one that looks at another number of tokens, or has read another number of words.
        """

    @abstractmethod
    def going_on(self, beams: Tensor) -> Self:
        """Keep all queries and, of each, go on from the beams `beams` (B, k indices), in place."""

    @abstractmethod
    def pull(self, rows: Tensor) -> None:
        """Move the queries `rows` (N different indices) to the front; what was there is lost."""

    @abstractmethod
    def front(self, rows: int) -> Self:
        """The first queries, in the same memory."""

    def select(self, rows: Tensor, beams: Tensor) -> Self:
        """Some queries, moved to the front, and what of each goes on, in place."""
        self.pull(rows)
        return self.front(len(rows)).going_on(beams)
