"""Where a search stands: keys and values of the words so far, and which of them each beam looks at.

Axes: B queries, k beams, F places of words (and of what stands before them), M tokens of the context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vlpbench.backbones.fixed_cache import FixedCache
from vlpbench.plugin import Backbone, Context, DecodingState, parts

__all__ = ["Cache", "log_odds"]


@dataclass
class Cache(DecodingState):
    """Words stay where they were written; going on from other beams changes only what each beam may look at."""

    context: Context
    """What the words look at besides themselves."""
    length: int
    """Words there is room for."""
    at: int
    """Words there are."""
    past: list[parts.Past]
    """What was said, for each layer."""
    seen: Tensor
    """B, k, F: what each beam looks at."""
    everything: bool
    """Whether all of it is seen by everybody: no mask is needed."""

    @classmethod
    def empty(cls, context: Context, beams: int, length: int, layers: int) -> Cache:
        """Room for `length` words of each of `beams` beams of each row of the context."""
        rows = context.memory.shape[0]
        seen = torch.ones(rows, beams, 0, dtype=torch.bool, device=context.memory.device)
        return cls(context, length, 0, [parts.Past(length) for _ in range(layers)], seen, beams == 1)

    @classmethod
    def behind(cls, context: Context, beams: int, length: int, keys: Sequence[parts.Keys]) -> Cache:
        """The same for words that look at the context's keys of each layer as at what was said before them."""
        rows, tokens, _ = context.memory.shape
        if context.mask is None:
            seen = torch.ones(rows, beams, tokens, dtype=torch.bool, device=context.memory.device)
        else:
            seen = context.mask[:, None].expand(-1, beams, -1)
        past = [parts.Past(length, pair) for pair in keys]
        return cls(context, length, 0, past, seen, beams == 1 and context.mask is None)

    def next(self) -> tuple[int, Tensor | None]:
        """The place of one more word, and who looks at what with it there (B, 1, k, F; None: everybody at all).

        ValueError where there is no room for it.
        """
        if self.at == self.length:  # the table of positions may end here
            raise ValueError(f"begin() made room for {self.length} words; this is one more")
        self.at += 1
        rows, beams, _ = self.seen.shape
        itself = torch.eye(beams, dtype=torch.bool, device=self.seen.device)
        self.seen = torch.cat([self.seen, itself.expand(rows, -1, -1)], -1)
        return self.at - 1, None if self.everything else self.seen[:, None]

    def select(self, rows: Tensor, beams: Tensor) -> Cache:
        """Keep some queries and, of each, some beams; where all queries stay, `going_on` copies nothing."""
        past = [layer.rows(rows) for layer in self.past]
        seen = self.seen[rows[:, None], beams]
        return self._with(self.context.rows(rows), past, seen)

    def going_on(self, beams: Tensor) -> Cache:
        """Keep all queries and, of each, some beams: only what each may look at is new."""
        every = torch.arange(len(beams), device=beams.device)[:, None]
        return self._with(self.context, [layer.rows(None) for layer in self.past], self.seen[every, beams])

    def _with(self, context: Context, past: list[parts.Past], seen: Tensor) -> Cache:
        everything = self.everything and seen.shape[1] == 1
        return Cache(context, self.length, self.at, past, seen, everything)

    def fixed(self, rows: int, beams: int) -> FixedCache:
        """Room for `rows` queries of `beams` beams that go on from as many words as this has."""
        ahead = beams * (self.length - self.at)
        return FixedCache.like(self.context, [layer.written() for layer in self.past], (rows, beams), ahead, self.at)


def log_odds(backbone: Backbone, features: Tensor) -> Tensor:
    """..., D -> ..., V: of each next word, in fp32 even under autocast: bf16 would make ties among likely words."""
    with parts.full_precision(features):
        return backbone.logits(features.float())
