"""Sentences written in memory that is there from the start: every step is the same work on the same tensors.

So a step can be one launch of a GPU, which would otherwise wait for the host to ask for a thousand small things. Where
nothing is gained by that, as on a CPU, `standing.finished` computes less: its tensors grow with the words.
Axes: B rows, k beams, V words, L words of a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, DecodingState
from vlpbench.contract.decoding import FixedState
from vlpbench.device import Device
from vlpbench.tasks.standing import LOOKS, Standing, note
from vlpbench.training.compiled import share_compiled_code
from vlpbench.training.pace import Choice

__all__ = ["FixedSteps", "Graph", "Turn", "graph_for"]

Turn = Callable[[], Any]
"""A step, again and again."""
Graph = Callable[[FunctionType], Turn]
"""Makes of a step something that does the same work on the same tensors, whenever it is called; it may run it once."""


def graph_for(device: Device, choice: Choice, backend: str | Callable[..., Any] = "inductor") -> Graph | None:
    """How steps are played on this device; None for the plain way, which is a CPU's unless it "always" compiles.

    A GPU captures the step as it is: that takes less than a second. Compiling it takes half a minute for each number of
    rows, which few test sets win back, so only "always" does both.
    """
    if choice == "never" or (choice == "auto" and device.kind == "cpu"):
        return None

    def graph(turn: FunctionType) -> Turn:
        work: Turn = _compiled(turn, backend) if choice == "always" else turn

        def uncached() -> None:  # a graph must not read casts of weights that are gone when autocast ends
            kind = device.torch.type
            dtype = torch.get_autocast_dtype(kind)
            with torch.autocast(kind, dtype, torch.is_autocast_enabled(kind), cache_enabled=False):
                work()

        return device.captured(uncached)

    return graph


def _compiled(turn: FunctionType, backend: str | Callable[..., Any]) -> Turn:
    """A graph of its own: torch keeps graphs by code object, so each is compiled from a copy of the code."""
    own = FunctionType(turn.__code__.replace(), turn.__globals__, turn.__name__, closure=turn.__closure__)
    if backend == "inductor":
        share_compiled_code()
    return torch.compile(own, fullgraph=True, dynamic=False, backend=backend)


class FixedSteps:
    """Room for some rows at once, which batch after batch of one prompt is written in."""

    def __init__(self, backbone: Backbone, graph: Graph) -> None:
        self._backbone, self._graph = backbone, graph
        self._room: _Room | None = None

    def finished(self, state: DecodingState, logits: Tensor, now: Standing) -> list[list[int]] | None:
        """The sentence of each row, from the log-odds (B, 1, V) of its first word on.

        None, and nothing done, for a backbone without fixed states or with fewer words than beams, and for sentences
        of one word, which have no second step. The first batch should be the largest: room is made for as many rows.
        """
        rows, beams = len(now.row), now.wording.search.beams
        if logits.shape[2] < beams or now.words.shape[2] < 2:
            return None
        if self._room is None or self._room.rows < rows:
            fixed = state.fixed(rows, beams)
            if fixed is None:
                return None
            self._room = _Room(self._backbone, fixed, rows, self._graph)
        found: list[list[int]] = [[] for _ in range(rows)]
        _, said = now.choose(logits, torch.zeros((), dtype=torch.long, device=logits.device))
        self._room.write(state, now, said, found)
        return found


class _Room:
    """The memory of one search, and its steps for all rows, three quarters, half, and a quarter of them."""

    def __init__(self, backbone: Backbone, fixed: FixedState, rows: int, graph: Graph) -> None:
        self._backbone, self._fixed, self.rows, self._graph = backbone, fixed, rows, graph
        self._steps: dict[int, Turn] = {}
        self._now: Standing | None = None

    def write(self, state: DecodingState, now: Standing, said: Tensor, found: list[list[int]]) -> None:
        """Go on from a first word (B, k) of each beam to the end, and note what was said."""
        whole, room = self._made(state, now, said), now.words.shape[2]
        self._begin(state, now, said)
        many = min(size for size in self._steps if size >= len(now.row))
        for at in range(1, room):
            if at % LOOKS == 0:
                many = self._fewer(many, found)
                if not many:
                    return
            self._steps[many]()
        note(found, whole.keep(slice(many)))

    def _made(self, state: DecodingState, now: Standing, said: Tensor) -> Standing:
        """All rows, in memory that stays; the first time it is made, with the steps on it."""
        if self._now is None:
            self._now = now.keep(torch.zeros(self.rows, dtype=torch.long, device=said.device))  # any row gives shapes
            self._said = said.new_zeros(self.rows, said.shape[1])
            self._at = torch.zeros((), dtype=torch.long, device=said.device)
            for size in sorted({-(-self.rows * part // 4) for part in (1, 2, 3, 4)}):
                self._begin(state, now, said)  # making a graph takes a step
                self._steps[size] = self._graph(self._turn(size))
        return self._now

    def _turn(self, size: int) -> FunctionType:
        """One step of the first rows."""
        fixed, said, at, backbone = self._fixed.front(size), self._said[:size], self._at, self._backbone
        assert self._now is not None
        buffers = self._now.keep(slice(size))

        def turn() -> None:
            logits = backbone.step(fixed, said)
            at.add_(1)
            now = buffers.keep(slice(None))
            beam, word = now.choose(logits, at)
            for buffer, made in zip(buffers.parts().values(), now.parts().values(), strict=True):
                buffer.copy_(made)
            fixed.going_on(beam)
            said.copy_(word)

        assert isinstance(turn, FunctionType)
        return turn

    def _begin(self, state: DecodingState, now: Standing, said: Tensor) -> None:
        """Put a batch into the first rows; the others are done and belong to nobody."""
        assert self._now is not None
        rows, held = len(now.row), self._now.parts()
        self._fixed.load(state)
        for name, part in now.parts().items():
            held[name][:rows] = part
        held["row"][rows:] = -1
        held["done"][rows:] = True
        self._said[:rows] = said
        self._at.zero_()

    def _fewer(self, many: int, found: list[list[int]]) -> int:
        """Look at the first `many` rows, the one wait for the device: how many to go on with, 0 where all are done.

        There is a step for so many. Where they are fewer, those that are not done come first, and the others are noted.
        """
        assert self._now is not None
        here = self._now.keep(slice(many))
        alive = many - int(here.done.sum())
        least = min(size for size in self._steps if size >= alive) if alive else 0
        if least < many:
            order = here.done.int().argsort(stable=True)
            note(found, here.keep(order[least:]))
            if least:
                stay = order[:least]
                for part in (*here.parts().values(), self._said):
                    part[:least] = part[stay]
                self._fixed.pull(stay)
        return least
