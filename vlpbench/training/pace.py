"""How a cell goes about its work: nothing here changes a number beyond rounding."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

from vlpbench.config.settings import CellSettings

__all__ = ["PACE", "Choice", "Joined", "Pace", "Stopped", "alone", "never"]

Choice = Literal["auto", "always", "never"]
"""Whether a way of computing is taken; "auto" takes it where it pays."""


class Stopped(BaseException):
    """The work was asked to stop, and did so where it can go on later.

    No Exception: it is no failure, and a stranger's `except Exception` does not hold it up.
    """


def never() -> bool:
    """Nobody asks to stop."""
    return False


Joined = Callable[[str, CellSettings], AbstractContextManager[None]]
"""Given a stage's label ("pretrain", "vqa: fine-tune") and the cell's settings: inside, all processes of a cell are at
the same work, and their collective calls meet."""


def alone(stage: str, settings: CellSettings) -> AbstractContextManager[None]:  # noqa: ARG001
    """One process has nobody to call."""
    return nullcontext()


@dataclass(frozen=True)
class Pace:
    """What may differ from machine to machine without a cell becoming another."""

    workers: int = 0
    """Threads that make batches ahead of time."""
    at_once: int = 0
    """Pictures, texts or questions asked at once while evaluating; 0 is each task's own number."""
    every: float = 0.0
    """Seconds between two checkpoints; 0 is the longer of a minute and 50 times what writing one takes."""
    stop: Callable[[], bool] = never
    """Asked after each step of a training; True writes a checkpoint and ends the work with `Stopped`."""
    compiled: Choice = "auto"
    """Whether steps are compiled; "auto" does on a GPU where a training is long enough to win back what that takes."""
    resident: Choice = "auto"
    """Whether all pictures lie in the GPU's memory; "auto" where they take no more than half of what is free."""
    recompute: bool = False
    """Whether each layer is computed again in the backward pass instead of kept: less memory, a third more work."""
    sharded: bool = False
    """Whether several processes that train one cell each keep a part of its weights (FSDP2), or all of them (DDP)."""
    joined: Joined = alone
    """Entered around each training, and around predictions that several processes share."""


PACE = Pace()
"""The usual one."""
