"""Beam search; with one beam it is greedy search.

Axes: B rows still at work, k beams, V words, L words of a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlpbench.tasks.standing import Standing
from vlpbench.tasks.wording import Wording

__all__ = ["Beams"]


@dataclass
class Beams(Standing):
    """Each step takes the `beams` likeliest continuations that go on; those among the `beams` likeliest of all that end
    are finished. A row is done when no running sentence can beat its best finished one. A finished sentence beats any
    that the room cuts off.
    """

    running: Tensor
    """B, k: log-probability of each sentence that goes on, best first; minus infinity where there is none."""
    score: Tensor
    """B: the best finished sentence's; minus infinity where none is finished."""
    best: Tensor
    """B, L: the best finished sentence; where none is finished, what is to be said if none will be."""

    @classmethod
    def at_first(cls, wording: Wording, rows: int, room: int, device: torch.device) -> Beams:
        """One beam a row that has said nothing."""
        words = torch.zeros(rows, 1, room, dtype=torch.long, device=device)
        return cls(
            wording, torch.arange(rows, device=device), torch.zeros(rows, dtype=torch.bool, device=device), words,
            torch.zeros(rows, dtype=torch.long, device=device), torch.zeros(rows, 1, device=device),
            torch.full((rows,), -torch.inf, device=device), words[:, 0].clone(),
        )

    @property
    def sentence(self) -> Tensor:
        """B, L: the best."""
        return self.best

    def choose(self, logits: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
        """The likeliest continuations, B, k; fewer where there are not so many words."""
        search = self.wording.search
        scores = self.running[..., None] + self.wording.likely(logits, self.words, at)  # B, k, V
        flat = scores.flatten(1)
        top, index = flat.topk(min(2 * search.beams, flat.shape[1]))  # enough for k to go on if k end
        beam, said = index // scores.shape[2], index % scores.shape[2]
        ends = said == self.wording.end
        ended = top[:, : search.beams].masked_fill(~ends[:, : search.beams], -torch.inf)
        self._finish(ended / (at + 1) ** search.length_penalty, beam, at)
        running, kept = top.masked_fill(ends, -torch.inf).topk(min(search.beams, top.shape[1]))
        beam, said = beam.gather(1, kept), said.gather(1, kept)
        self._go_on(running, beam, said, at)
        self.done = self.done | (self.score >= self._bound(at))
        return beam, said

    def _finish(self, ended: Tensor, beam: Tensor, at: Tensor) -> None:
        """Keep sentences that end behind `at` words where they beat the best so far; `ended` (B, k): score or -inf."""
        score, which = ended.max(1)
        better = score > self.score
        whole = self.words.gather(1, beam.gather(1, which[:, None])[..., None].expand(-1, -1, self.words.shape[2]))
        self.score = torch.where(better, score, self.score)
        self.best = torch.where(better[:, None], whole[:, 0], self.best)
        self.length = torch.where(better, at, self.length)

    def _go_on(self, running: Tensor, beam: Tensor, said: Tensor, at: Tensor) -> None:
        """Say one more word (B, k) behind the beams `beam` (B, k)."""
        words = self.words.gather(1, beam[..., None].expand(-1, -1, self.words.shape[2]))
        self.words, self.running = words.index_copy(2, at.view(1), said[..., None]), running
        cut = (self.score == -torch.inf) & (running[:, 0] > -torch.inf)
        self.best = torch.where(cut[:, None], self.words[:, 0], self.best)
        self.length = torch.where(cut, at + 1, self.length)

    def _bound(self, at: Tensor) -> Tensor:
        """B: what no sentence that goes on from `at + 1` words can exceed: log-probabilities are below 0 and fall."""
        penalty = self.wording.search.length_penalty
        return self.running[:, 0] / (self.words.shape[2] if penalty > 0 else at + 2) ** penalty
