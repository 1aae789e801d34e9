"""A batch's terms as one compiled graph, forward and backward, where that wins back what compiling takes.

Compiled is what is the same in every step: encoding, and the formulas. What adds steps up stays outside, so that
pieces of a batch, counts over processes and figures are as in a plain step. Every graph is compiled once: whatever
would have to be compiled anew (a formula that asks how many steps there were) is computed plainly from there on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import gettempdir
from types import FunctionType
from typing import Any

import torch

from vlpbench.data.folders import cache_folder
from vlpbench.device import Device
from vlpbench.parts import ranks
from vlpbench.training.joint import Terms, Views, terms_of
from vlpbench.training.learner import Learner
from vlpbench.training.pace import Choice
from vlpbench.types import Step

__all__ = ["Compiling", "share_compiled_code"]

TAKES = 90.0
"""Seconds that compiling is taken to need; what an earlier cell of the same shapes left in the cache needs less."""
SAVES = 0.2
"""Share of a plain step that a compiled one is taken to save."""
SMALL = 100_000_000
"""Weights up to which a step is launched as one CUDA graph: larger models keep a GPU busy by themselves."""
_FIRST, _TIMED = 3, 4
"""Plain steps before the first that is timed, and how many are."""


class Compiling:
    """Chooses for each step of one training how its terms are computed."""

    def __init__(
        self, choice: Choice = "never", steps: int = 0, backend: str | Callable[..., Any] = "inductor"
    ) -> None:
        """`steps` are still to be taken, 0 where nobody knows: "auto" then compiles nothing. `backend` is torch's."""
        self.choice, self.backend = choice, backend
        self.graphs: dict[tuple[str, int], Callable[..., Any]] = {}
        """What was compiled, by the kind of batch and the rows of a piece."""
        self._left, self._taken = steps, 0
        self._clock: list[float] = []

    def next(self, learner: Learner, device: Device, whole: bool) -> Terms:
        """What computes the terms of the step that begins; `whole`: a batch goes through at once."""
        self._left, self._taken = self._left - 1, self._taken + 1
        if ranks.many() > 1 or not self._pays(device):
            return terms_of
        torch.compiler.cudagraph_mark_step_begin()
        replayed = device.kind != "cpu" and whole and sum(w.numel() for w in learner.backbone.parameters()) <= SMALL

        def compiled(learner: Learner, kind: str, views: Views, device: Device) -> dict[str, Step]:
            return self._asked(learner, kind, views, device, replayed)

        return compiled

    def give_up(self, error: BaseException) -> None:
        """From here on steps are plain: the compiled one raised this."""
        self.choice = "never"
        self.graphs.clear()
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        said = f"steps are not compiled from here on, the result is the same; torch says: {first.strip()[:200]}"
        print(said, file=sys.stderr, flush=True)  # noqa: T201 (the cell's log)

    def _pays(self, device: Device) -> bool:
        """Whether to compile; "auto" decides once, on a GPU, by the steps that are left and what a plain one takes."""
        if self.choice == "auto":
            if device.kind == "cpu":
                self.choice = "never"
            elif self._taken > _FIRST:
                self._clock.append(device.seconds())
                if len(self._clock) > _TIMED:
                    step = median(after - before for before, after in zip(self._clock, self._clock[1:], strict=False))
                    self.choice = "always" if self._left * step * SAVES > TAKES else "never"
        return self.choice == "always"

    def _asked(
        self, learner: Learner, kind: str, views: Views, device: Device, replayed: bool
    ) -> dict[str, Step]:
        """The terms by the graph for this kind and this many rows, which is compiled when it is first asked for."""
        key = kind, len(next(iter(views.values())))
        if key in self.graphs:
            with torch.compiler.set_stance("fail_on_recompile"):
                found = self.graphs[key](learner, kind, views, device)
        else:
            graph = _compiled(self.backend, replayed)
            found = graph(learner, kind, views, device)
            self.graphs[key] = graph
        return {name: Step(*parts) for name, parts in found.items()}


def share_compiled_code() -> None:
    """Keep compiled code in the house's cache folder, where cells of one shape find it, unless another is named.

    A folder that torch chose itself is none that anybody named: it writes that into the environment as early as an
    optimiser is made, and child processes inherit it.
    """
    named = Path(os.environ.get("TORCHINDUCTOR_CACHE_DIR", ""))
    if not named.name or (named.parent == Path(gettempdir()) and named.name.startswith("torchinductor_")):
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache_folder() / "compiled")


def _compiled(backend: str | Callable[..., Any], replayed: bool) -> Callable[..., Any]:
    """A graph of its own: torch keeps graphs by code object, so each is compiled from a copy of the code."""
    own = FunctionType(_terms.__code__.replace(), _terms.__globals__, _terms.__name__)
    if backend != "inductor":
        return torch.compile(own, fullgraph=True, dynamic=False, backend=backend)
    share_compiled_code()
    options: dict[str, Any] = {"fallback_random": True, "triton.cudagraphs": replayed}  # dropout as in a plain step
    return torch.compile(own, fullgraph=True, dynamic=False, options=options)


def _terms(learner: Learner, kind: str, views: Views, device: Device) -> dict[str, Any]:
    """`terms_of` in plain containers."""
    found = terms_of(learner, kind, views, device)
    return {name: (step.losses, step.figures, step.carry) for name, step in found.items()}
