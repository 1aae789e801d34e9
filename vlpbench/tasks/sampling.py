"""Drawing sentences word by word from the nucleus (arXiv 1904.09751), each row with a generator of its own.

Axes: B rows, V words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, DecodingState
from vlpbench.streams import generator
from vlpbench.tasks.search import Search
from vlpbench.tasks.wording import Wording

__all__ = ["draw", "draw_sentences", "nucleus"]


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


def draw_sentences(
    backbone: Backbone, state: DecodingState, logits: Tensor, room: int, search: Search, keys: Sequence[int]
) -> list[list[int]]:
    """A sentence for each row from the log-odds (B, 1, V) of its first word on; a row draws by (seed, its key)."""
    vocabulary, device = backbone.spec.vocabulary, logits.device
    wording = Wording(vocabulary, search, device)
    chance = np.stack([generator(search.seed, f"sampling/{key}").random(room) for key in keys])
    spots = torch.from_numpy(chance).to(device)
    rows = torch.arange(len(keys), device=device)
    words = torch.zeros(len(keys), 1, room, dtype=torch.long, device=device)
    said: list[list[int]] = [[] for _ in keys]
    for at in range(room):
        likely = wording.likely(logits, words[:, :, :at])[:, 0]
        word = draw(likely, spots[rows, at], search)
        nothing = likely.amax(1) == -torch.inf  # the rules leave no word
        words[:, 0, at] = word
        over = (word == vocabulary.eos) | nothing
        if bool(over.any()):
            for row, whole in zip(rows[over].tolist(), words[over, 0, :at].tolist(), strict=True):
                said[row] = whole
            stay = (~over).nonzero()[:, 0]
            rows, words, word = rows[stay], words[stay], word[stay]
            if not len(rows):
                return said
            if at + 1 < room:
                state = state.select(stay, torch.zeros(len(stay), 1, dtype=torch.long, device=device))
        if at + 1 < room:
            logits = backbone.step(state, word[:, None])
    for row, whole in zip(rows.tolist(), words[:, 0].tolist(), strict=True):
        said[row] = whole
    return said
