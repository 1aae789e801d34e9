"""Writing sentences: greedy search and beam search over cached keys and values.

Axes: B rows, k beams, V words, L words of a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context
from vlpbench.types import Vocabulary

__all__ = ["generate"]


@dataclass
class _Best:
    """The best finished sentence of each row so far."""

    score: Tensor
    """B: its log-probability; minus infinity where none is finished."""
    words: Tensor
    """B, L."""
    length: Tensor
    """B: how many of the words count."""


@torch.no_grad()
def generate(
    backbone: Backbone, context: Context, start: list[int], length: int, beams: int = 1
) -> list[list[int]]:
    """The likeliest sentence found for each row of the context, without special ids; `beams` = 1 is greedy.

    `start` is BOS and the words of a prompt, which every sentence begins with; `length` bounds start and sentence
    together. A row's sentence does not depend on the other rows. The score of a sentence is its log-probability,
    not divided by its length.
    """
    rows, device = context.memory.shape[0], context.memory.device
    vocabulary = backbone.spec.vocabulary
    state = backbone.begin(context, beams, length)
    logits = torch.empty(0)
    for word in start:
        logits = backbone.step(state, torch.full((rows, beams), word, device=device))
    room = length - len(start) + 1  # the last word need not be read back
    running = torch.full((rows, beams), -torch.inf, device=device)
    running[:, 0] = 0.0  # all beams are equal at first: only one may branch
    words = torch.zeros(rows, beams, room, dtype=torch.long, device=device)
    best = _Best(torch.full((rows,), -torch.inf, device=device), words[:, 0].clone(), torch.zeros_like(words[:, 0, 0]))
    everyone = torch.arange(rows, device=device)
    for at in range(room):
        scores = running[..., None] + _allowed(logits, vocabulary).log_softmax(-1)  # B, k, V
        top, index = scores.flatten(1).topk(2 * beams)  # enough for k to go on if k end
        beam, said = index // scores.shape[-1], index % scores.shape[-1]
        ends = said == vocabulary.eos
        _finish(best, top[:, :beams].masked_fill(~ends[:, :beams], -torch.inf), beam, words, at)
        running, kept = top.masked_fill(ends, -torch.inf).topk(beams)
        beam, said = beam.gather(1, kept), said.gather(1, kept)
        words = words.gather(1, beam[..., None].expand(-1, -1, room)).clone()
        words[:, :, at] = said
        if at + 1 == room or bool((best.score >= running[:, 0]).all()):
            break
        if beams > 1:
            state = state.select(everyone, beam)
        logits = backbone.step(state, said)
    unfinished = best.score == -torch.inf
    best.words[unfinished], best.length[unfinished] = words[unfinished, 0], at + 1
    return [row[:many].tolist() for row, many in zip(best.words, best.length.tolist(), strict=True)]


def _finish(best: _Best, ended: Tensor, beam: Tensor, words: Tensor, at: int) -> None:
    """Keep the sentences that end here where they beat what was finished before. `ended` (B, k): scores, or -inf."""
    score, which = ended.max(1)
    better = score > best.score
    rows = better.nonzero()[:, 0]
    best.score[rows] = score[rows]
    best.words[rows] = words[rows, beam[rows, which[rows]]]
    best.length[rows] = at


def _allowed(logits: Tensor, vocabulary: Vocabulary) -> Tensor:
    """The same log-odds with the special ids ruled out, but for the end of the sentence."""
    special = sorted(vocabulary.special - {vocabulary.eos})
    logits = logits.clone()
    logits[..., special] = -torch.inf
    return logits
