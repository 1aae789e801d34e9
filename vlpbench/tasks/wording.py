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
        self._search, self._end = search, vocabulary.eos
        self._bias = torch.zeros(vocabulary.size, device=device)
        self._bias[sorted(vocabulary.special - {vocabulary.eos})] = -torch.inf

    def likely(self, logits: Tensor, said: Tensor) -> Tensor:
        """log P of each next word (B, k, V; minus infinity where it may not come), from log-odds and B, k, L words.

        Special ids but the end of the sentence have no part in the probabilities; what the other rules forbid keeps
        its own, so that a beam gains nothing by being forbidden something.
        """
        chances = (logits + self._bias).log_softmax(-1)
        if said.shape[2] < self._search.least:
            chances[..., self._end] = -torch.inf
        size = self._search.no_repeat
        return _unrepeated(chances, said, size) if 0 < size <= said.shape[2] else chances


def _unrepeated(chances: Tensor, said: Tensor, size: int) -> Tensor:
    """Minus infinity for words that would say a run of `size` words again."""
    runs = said.unfold(2, size, 1)  # B, k, L - size + 1, size
    again = (runs[..., :-1] == said[:, :, None, said.shape[2] - size + 1 :]).all(-1)
    limit = torch.where(again, -torch.inf, torch.inf).to(chances.dtype)
    return chances.scatter_reduce(2, runs[..., -1], limit, "amin")
