"""Beam search; with one beam it is greedy search.

Axes: B rows still at work, k beams, V words, L words of a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, DecodingState
from vlpbench.tasks.search import Search
from vlpbench.tasks.wording import Wording

__all__ = ["search_sentences"]


@dataclass
class _Standing:
    """Where the search of each row still at work stands."""

    row: Tensor
    """B: which row of the whole it is."""
    running: Tensor
    """B, k: log-probability of each sentence that goes on, best first; minus infinity where there is none."""
    words: Tensor
    """B, k, L: what they say."""
    score: Tensor
    """B: the best finished sentence's; minus infinity where none is finished."""
    best: Tensor
    """B, L: the best finished sentence; where none is finished, what is to be said if none will be."""
    length: Tensor
    """B: how many of its words count."""

    @classmethod
    def at_first(cls, rows: int, room: int, device: torch.device) -> _Standing:
        """One beam a row that has said nothing."""
        words = torch.zeros(rows, 1, room, dtype=torch.long, device=device)
        none = torch.full((rows,), -torch.inf, device=device)
        return cls(
            torch.arange(rows, device=device), torch.zeros(rows, 1, device=device), words, none, words[:, 0].clone(),
            torch.zeros(rows, dtype=torch.long, device=device),
        )

    def keep(self, stay: Tensor) -> _Standing:
        """The rows `stay` (N indices)."""
        return _Standing(*(getattr(self, name)[stay] for name in self.__dataclass_fields__))

    def sentences(self) -> list[tuple[int, list[int]]]:
        """Which row of the whole each is, and its sentence."""
        whole = zip(self.row.tolist(), self.best.tolist(), self.length.tolist(), strict=True)
        return [(row, words[:many]) for row, words, many in whole]

    def finish(self, ended: Tensor, beam: Tensor, at: int) -> None:
        """Keep sentences that end behind `at` words where they beat the best so far; `ended` (B, k): score or -inf."""
        score, which = ended.max(1)
        better = score > self.score
        whole = self.words.gather(1, beam.gather(1, which[:, None])[..., None].expand(-1, -1, self.words.shape[2]))
        self.score = torch.where(better, score, self.score)
        self.best = torch.where(better[:, None], whole[:, 0], self.best)
        self.length = torch.where(better, at, self.length)

    def go_on(self, running: Tensor, beam: Tensor, said: Tensor, at: int) -> None:
        """Say one more word (B, k) behind the beams `beam` (B, k)."""
        self.words = self.words.gather(1, beam[..., None].expand(-1, -1, self.words.shape[2]))
        self.words[:, :, at] = said
        self.running = running
        cut = (self.score == -torch.inf) & (running[:, 0] > -torch.inf)
        self.best = torch.where(cut[:, None], self.words[:, 0], self.best)
        self.length = torch.where(cut, at + 1, self.length)


def search_sentences(
    backbone: Backbone, state: DecodingState, logits: Tensor, room: int, search: Search
) -> list[list[int]]:
    """The best sentence found for each row, from the log-odds (B, 1, V) of its first word on.

    Each step takes the `beams` likeliest continuations that go on; those among the `beams` likeliest of all that end
    are finished. A row is done when no running sentence can beat its best finished one, and then leaves the batch. A
    finished sentence beats any that `room` cuts off.
    """
    vocabulary, device = backbone.spec.vocabulary, logits.device
    wording, beams = Wording(vocabulary, search, device), search.beams
    now = _Standing.at_first(len(logits), room, device)
    found: list[list[int]] = [[] for _ in range(len(logits))]
    for at in range(room):
        scores = now.running[..., None] + wording.likely(logits, now.words[:, :, :at])  # B, k, V
        flat = scores.flatten(1)
        top, index = flat.topk(min(2 * beams, flat.shape[1]))  # enough for k to go on if k end
        beam, said = index // scores.shape[2], index % scores.shape[2]
        ends = said == vocabulary.eos
        ended = top[:, :beams].masked_fill(~ends[:, :beams], -torch.inf)
        now.finish(ended / (at + 1) ** search.length_penalty, beam, at)
        running, kept = top.masked_fill(ends, -torch.inf).topk(min(beams, top.shape[1]))
        beam, said = beam.gather(1, kept), said.gather(1, kept)
        changed = beam.shape[1] != now.words.shape[1]
        now.go_on(running, beam, said, at)
        done = now.score >= _bound(running[:, 0], at, room, search)
        some, moved = (True, False) if at + 1 == room else _look(done, beam)
        if some:
            over = done | (at + 1 == room)
            for row, sentence in now.keep(over.nonzero()[:, 0]).sentences():
                found[row] = sentence
            stay = (~over).nonzero()[:, 0]
            if not len(stay):
                break
            now, beam, said = now.keep(stay), beam[stay], said[stay]
        else:
            stay = torch.arange(len(now.row), device=device)
        if some or moved or changed:
            state = state.select(stay, beam)
        logits = backbone.step(state, said)
    return found


def _bound(running: Tensor, at: int, room: int, search: Search) -> Tensor:
    """B: what no sentence that goes on from `at + 1` words of log-probability `running` can exceed."""
    longest = room if search.length_penalty > 0 else at + 2  # log-probabilities are below 0 and only fall
    return running / longest**search.length_penalty


def _look(done: Tensor, beam: Tensor) -> tuple[bool, bool]:
    """Whether a row is done, and whether a beam goes on in another's place: one wait for the device."""
    other = beam != torch.arange(beam.shape[1], device=beam.device)
    some, moved = torch.stack([done.any(), other.any()]).tolist()
    return bool(some), bool(moved)
