"""Which words may come next, and how likely each is.

Axes: B rows, k beams, V words, L words said so far.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vlpbench.tasks.search import Search
from vlpbench.types import Vocabulary

__all__ = ["Wording"]


class Wording:
    """The rules of a search: no special ids, an end that comes not too soon, no run of words twice."""

    def __init__(self, vocabulary: Vocabulary, search: Search, device: torch.device) -> None:
        self.search, self.end = search, vocabulary.eos
        self._bias = torch.zeros(vocabulary.size, device=device)
        self._bias[sorted(vocabulary.special - {vocabulary.eos})] = -torch.inf

    def likely(self, logits: Tensor, said: Tensor, at: Tensor | int | None = None) -> Tensor:
        """log P of each next word (B, k, V; minus infinity where it may not come), from log-odds and B, k, L words.

        Of these, the first `at` (a number, or 0-d on their device) were said; all of them where it is not given.
        Special ids but the end of the sentence have no part in the probabilities; what the other rules forbid keeps
        its own, so that a beam gains nothing by being forbidden something.
        """
        at = said.shape[2] if at is None else at
        chances = (logits + self._bias).log_softmax(-1)
        if self.search.least:
            soon = _tensor(at, chances) < self.search.least
            chances[..., self.end] += torch.where(soon, -torch.inf, 0.0)
        size = self.search.no_repeat
        return _unrepeated(chances, said, size, _tensor(at, chances)) if 0 < size <= said.shape[2] else chances


def _tensor(at: Tensor | int, like: Tensor) -> Tensor:
    return at if isinstance(at, Tensor) else torch.full((), at, device=like.device)


def _unrepeated(chances: Tensor, said: Tensor, size: int, at: Tensor) -> Tensor:
    """Minus infinity for words that would say a run of `size` words again, of the first `at` words."""
    runs = said.unfold(2, size, 1)  # B, k, L - size + 1, size
    last = (at - size + 1 + torch.arange(size - 1, device=said.device)).clamp_min(0)
    again = (runs[..., :-1] == said.index_select(2, last)[:, :, None]).all(-1)
    again &= torch.arange(runs.shape[2], device=said.device) + size <= at
    limit = torch.where(again, -torch.inf, torch.inf).to(chances.dtype)
    return chances.scatter_reduce(2, runs[..., -1], limit, "amin")
