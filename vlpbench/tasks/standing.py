"""Sentences under way, whatever chooses their words, and the plain way to their ends.

Axes: B rows still at work, k beams, V words, L words of a sentence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, DecodingState
from vlpbench.tasks.wording import Wording

__all__ = ["LOOKS", "Standing", "finished", "note"]

LOOKS = 4
"""Steps from one look at what a GPU has done to the next: each look waits for it. A CPU is looked at in each step."""


@dataclass
class Standing(ABC):
    """Where the sentences of each row stand."""

    wording: Wording
    """The rules they are written by."""
    row: Tensor
    """B: which row of the whole it is; below 0 for one that only fills up."""
    done: Tensor
    """B: whether its sentence is finished; what is done afterwards changes nothing about it."""
    words: Tensor
    """B, k, L: what they say."""
    length: Tensor
    """B: how many words of its sentence count."""

    @property
    @abstractmethod
    def sentence(self) -> Tensor:
        """B, L: the sentence of each row, as far as it goes."""

    @abstractmethod
    def choose(self, logits: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
        """Say one more word by its log-odds (B, k, V) after `at` words (0-d): the beam each goes on from, and the word.

        B, k each. Nothing is written in place, and nothing waits for the device.
        """

    def parts(self) -> dict[str, Tensor]:
        """All tensors by name, rows first."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: part for name, part in found.items() if isinstance(part, Tensor)}

    def keep(self, rows: Tensor | slice) -> Self:
        """Some rows (N indices, or views of consecutive ones)."""
        some: dict[str, Any] = {name: part[rows] for name, part in self.parts().items()}
        return replace(self, **some)


def note(found: list[list[int]], now: Standing) -> None:
    """Write each row's sentence where it belongs."""
    whole = zip(now.row.tolist(), now.sentence.tolist(), now.length.tolist(), strict=True)
    for row, words, many in whole:
        if row >= 0:
            found[row] = words[:many]


def finished(backbone: Backbone, state: DecodingState, logits: Tensor, now: Standing) -> list[list[int]]:
    """The sentence of each row, from the log-odds (B, 1, V) of its first word on.

    Rows that are done leave when they are a quarter of all: until then they cost less than moving the others.
    """
    found: list[list[int]] = [[] for _ in range(len(now.row))]
    room, every = now.words.shape[2], 1 if logits.device.type == "cpu" else LOOKS
    places = torch.arange(room, device=logits.device)
    for at in range(room):
        beams, moved = now.words.shape[1], True
        beam, said = now.choose(logits, places[at])
        if at + 1 == room:
            break
        if (at + 1) % every == 0:
            over, moved = _look(now.done, beam)
            if over == len(now.row):
                break
            if 4 * over >= len(now.row):
                note(found, now.keep(now.done.nonzero()[:, 0]))
                stay = (~now.done).nonzero()[:, 0]
                now, said = now.keep(stay), said[stay]
                state, moved = state.select(stay, beam[stay]), False
                beams = beam.shape[1]
        if moved or beam.shape[1] != beams:
            state = state.going_on(beam)
        logits = backbone.step(state, said)
    note(found, now)
    return found


def _look(done: Tensor, beam: Tensor) -> tuple[int, bool]:
    """How many rows are done, and whether a beam goes on in another's place: one wait for the device."""
    other = beam != torch.arange(beam.shape[1], device=beam.device)
    over, moved = torch.stack([done.sum(), other.any()]).tolist()
    return over, bool(moved)
