"""How a training goes along: who is told, who watches, where it is kept on the way; and what it tells in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from vlpbench.training.pace import PACE, Pace

__all__ = ["COURSE", "Course", "Heard", "Remembering", "Training", "Watch"]

Heard = Callable[[int, int, Mapping[str, float]], None]
"""Told the steps done, the steps in all, and the last figures."""

Watch = Callable[[int], Mapping[str, float] | None]
"""Called with the steps done after each step, may look at the learner, and gives a row of the curve or None."""


@runtime_checkable
class Remembering(Protocol):
    """A watch whose later answers hang on what it saw before: its memory is kept in checkpoints with the rest."""

    def __call__(self, done: int) -> Mapping[str, float] | None:
        """As every watch."""

    def state(self) -> tuple[Mapping[str, Tensor], Mapping[str, Any]]:
        """What it remembers: tensors by name, and plain values that JSON can hold."""

    def restore(self, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
        """Remember what an earlier run of the same training gave as its state; the tensors are on the host."""


@dataclass(frozen=True)
class Course:
    """All that a training may be given without its numbers becoming others, beyond rounding."""

    heard: Heard | None = None
    """Told of progress."""
    watch: Watch | None = None
    """Called after each step; one that is `Remembering` comes back as it was where the training goes on."""
    micro_batch: int = 0
    """Samples that go through the model at once; 0 for all."""
    folder: Path | None = None
    """Where checkpoints are kept, and whence the training goes on; it is this training's alone. None keeps none."""
    pace: Pace = PACE
    """How often checkpoints are written, and whether to stop."""
    setting: str = "budget.batch"
    """The setting that decides the size of a batch, for what a person is told when memory runs out."""
    mark: str = ""
    """What else must be as it was for a checkpoint to be taken, such as a digest of code."""
    joined: Callable[[], AbstractContextManager[None]] = nullcontext
    """Entered around all steps: where several processes train as one, they meet in it."""


COURSE = Course()
"""Nobody is told, nobody watches, nothing is kept."""


@dataclass
class Training:
    """What a training left to tell."""

    curve: list[dict[str, float]] = field(default_factory=list)
    """One row for each logged step: step, lr and the figures."""
    flops: int = 0
    """Floating-point operations of all steps, forward and backward, counted on the first."""
    samples: int = 0
    """Samples seen, repeats included."""
    targets: int = 0
    """Terms that the losses were means of: target tokens, or pairs."""
    micro_batch: int = field(default=0, compare=False)
    """Samples that went through at once at the end, 0 for all: a fact of the machine, not of the result."""

    def result(self) -> dict[str, Any]:
        """All that is a result, by name: the same on every machine of a kind, however often it was cut off."""
        return {name: value for name, value in asdict(self).items() if name != "micro_batch"}
