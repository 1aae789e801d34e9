"""How a cell goes about its work: nothing here changes a number beyond rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["PACE", "Pace", "Stopped", "never"]


class Stopped(BaseException):
    """The work was asked to stop, and did so where it can go on later.

    No Exception: it is no failure, and a stranger's `except Exception` does not hold it up.
    """


def never() -> bool:
    """Nobody asks to stop."""
    return False


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


PACE = Pace()
"""The usual one."""
