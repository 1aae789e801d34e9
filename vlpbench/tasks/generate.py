"""Writing sentences: a prompt is read once a row, then words are searched for or drawn over cached keys and values.

Axes: B rows, k beams, V words.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vlpbench.contract.abilities import Backbone, Context
from vlpbench.tasks.beams import search_sentences
from vlpbench.tasks.sampling import draw_sentences
from vlpbench.tasks.search import Search

__all__ = ["Search", "generate"]

_GREEDY = Search()


@torch.no_grad()
def generate(
    backbone: Backbone,
    context: Context,
    start: list[int],
    length: int,
    search: Search | int = _GREEDY,
    keys: Sequence[int] | None = None,
) -> list[list[int]]:
    """A sentence for each row of the context, without prompt and special ids.

    `start` is BOS and the words of a prompt, which every sentence begins with; `length` bounds start and sentence
    together. A plain number as `search` is that many beams. A row's sentence does not depend on the other rows: where
    words are drawn, they depend on the seed and on the row's number in `keys` (B; by default its place in the batch).
    """
    search = Search(beams=search) if isinstance(search, int) else search
    rows, device = context.memory.shape[0], context.memory.device
    room = length - len(start) + 1  # the last word need not be read back
    if not start or room < 1:
        raise ValueError(f"a start of {len(start)} words; it has BOS at least, and at most the length of {length}")
    if keys is not None and len(keys) != rows:
        raise ValueError(f"{len(keys)} keys for {rows} rows")
    if not rows:
        return []
    state = backbone.begin(context, 1, length)  # beams read the prompt as one
    logits = torch.empty(0)
    for word in start:
        logits = backbone.step(state, torch.full((rows, 1), word, device=device))
    if search.top_p:
        return draw_sentences(backbone, state, logits, room, search, range(rows) if keys is None else keys)
    return search_sentences(backbone, state, logits, room, search)
