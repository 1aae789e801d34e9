"""Drawing sentences word by word from the nucleus (arXiv 1904.09751), each row with a generator of its own.

Axes: B rows, V words, L words of a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vlpbench.streams import generator
from vlpbench.tasks.search import Search
from vlpbench.tasks.standing import Standing
from vlpbench.tasks.wording import Wording

__all__ = ["Draws", "draw", "nucleus"]


def nucleus(chances: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """B, V probabilities -> the words (B, V), likeliest first, and what each adds to the nucleus (B, V; 0 outside).

    A word is inside if those before it do not reach `top_p`; among equal ones the lower id comes first.
    """
    sizes, words = torch.sort(chances, stable=True, dim=1, descending=True)
    return words, sizes * (sizes.cumsum(1) - sizes < top_p)


def draw(likely: Tensor, at: Tensor, search: Search) -> Tensor:
    """One word for each row (B) from log P (B, V) and a number of 0 to 1 (B, float64) that says where in the nucleus.

    In double precision: where the bounds of words lie must not depend on how many rows are summed at once.
    """
    chances = (likely.double() / search.temperature).softmax(1)
    words, sizes = nucleus(chances, search.top_p)
    until = sizes.cumsum(1)
    place = (until <= (at * until[:, -1])[:, None]).sum(1, keepdim=True)
    last = (sizes > 0).sum(1, keepdim=True) - 1  # rounding cannot lead out of the nucleus
    return words.gather(1, torch.minimum(place, last.clamp_min(0)))[:, 0]


@dataclass
class Draws(Standing):
    """One sentence a row, each of whose words is drawn; done with the end, or where the rules leave no word."""

    spots: Tensor
    """B, L: where in the nucleus each word is drawn; 0 to 1, float64."""

    @classmethod
    def at_first(cls, wording: Wording, keys: Sequence[int], room: int, device: torch.device) -> Draws:
        """Nothing said; each row draws by (seed, its key)."""
        rows, search = len(keys), wording.search
        chance = np.stack([generator(search.seed, f"sampling/{key}").random(room) for key in keys])
        number = torch.zeros(rows, dtype=torch.long, device=device)
        return cls(
            wording, torch.arange(rows, device=device), number.bool(), number[:, None, None].repeat(1, 1, room), number,
            torch.from_numpy(chance).to(device),
        )

    @property
    def sentence(self) -> Tensor:
        """B, L: the only one."""
        return self.words[:, 0]

    def choose(self, logits: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
        """One word for each row, B, 1."""
        likely = self.wording.likely(logits, self.words, at)[:, 0]
        word = draw(likely, self.spots.index_select(1, at.view(1))[:, 0], self.wording.search)
        nothing = likely.amax(1) == -torch.inf  # the rules leave no word
        self.done = self.done | (word == self.wording.end) | nothing
        self.words = self.words.index_copy(2, at.view(1), word[:, None, None])
        self.length = torch.where(self.done, self.length, at + 1)
        return torch.zeros_like(word)[:, None], word[:, None]
