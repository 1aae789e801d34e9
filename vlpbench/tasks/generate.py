"""Writing sentences: a prompt is read once a row, then words are searched for or drawn over cached keys and values.

Axes: B rows, k beams, V words.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context, DecodingState
from vlpbench.tasks.beams import Beams
from vlpbench.tasks.fixed_steps import FixedSteps, Graph
from vlpbench.tasks.sampling import Draws
from vlpbench.tasks.search import Search
from vlpbench.tasks.standing import Standing, finished
from vlpbench.tasks.wording import Wording

__all__ = ["Search", "Writer", "generate"]

_GREEDY = Search()


class Writer:
    """Writes batch after batch with one prompt and one search.

    `start` is BOS and the words of the prompt, which every sentence begins with; `length` bounds start and sentence
    together. With a `graph` (`fixed_steps.graph_for`) all steps have one shape, whatever grew with the words before.
    """

    def __init__(
        self, backbone: Backbone, start: list[int], length: int, search: Search = _GREEDY, graph: Graph | None = None
    ) -> None:
        if not start or length < len(start):
            raise ValueError(f"a start of {len(start)} words; it has BOS at least, and at most the length of {length}")
        self._backbone, self._start, self._length, self._search = backbone, start, length, search
        self._fixed = None if graph is None else FixedSteps(backbone, graph)

    @torch.no_grad()
    def write(self, context: Context, keys: Sequence[int] | None = None) -> list[list[int]]:
        """A sentence for each row of the context, without prompt and special ids.

        A row's sentence does not depend on the other rows: where words are drawn, they depend on the seed and on the
        row's number in `keys` (B; by default its place in the batch).
        """
        rows = len(context.memory)
        if keys is not None and len(keys) != rows:
            raise ValueError(f"{len(keys)} keys for {rows} rows")
        if not rows:
            return []
        state, logits = self._read(context)
        now = self._at_first(range(rows) if keys is None else keys, logits.device)
        found = None if self._fixed is None else self._fixed.finished(state, logits, now)
        return finished(self._backbone, state, logits, now) if found is None else found

    def _read(self, context: Context) -> tuple[DecodingState, Tensor]:
        """The prompt, which beams read as one; log-odds of the first word, B, 1, V."""
        rows, device = len(context.memory), context.memory.device
        state = self._backbone.begin(context, 1, self._length)
        logits = torch.empty(0)
        for word in self._start:
            logits = self._backbone.step(state, torch.full((rows, 1), word, device=device))
        return state, logits

    def _at_first(self, keys: Sequence[int], device: torch.device) -> Standing:
        """Nothing said yet."""
        wording = Wording(self._backbone.spec.vocabulary, self._search, device)
        room = self._length - len(self._start) + 1  # the last word need not be read back
        if self._search.top_p:
            return Draws.at_first(wording, keys, room, device)
        return Beams.at_first(wording, len(keys), room, device)


def generate(
    backbone: Backbone,
    context: Context,
    start: list[int],
    length: int,
    search: Search | int = _GREEDY,
    keys: Sequence[int] | None = None,
) -> list[list[int]]:
    """The sentences of one batch, as a `Writer` writes them; a plain number as `search` is that many beams."""
    return Writer(backbone, start, length, Search(beams=search) if isinstance(search, int) else search).write(
        context, keys
    )
