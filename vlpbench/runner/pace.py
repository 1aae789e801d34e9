"""How a cell goes about its work: nothing here changes a number."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PACE", "Pace"]


@dataclass(frozen=True)
class Pace:
    """What may differ from machine to machine without a cell becoming another."""

    workers: int = 0
    """Threads that make batches ahead of time."""
    at_once: int = 0
    """Pictures, texts or questions asked at once while evaluating; 0 is each task's own number."""


PACE = Pace()
"""The usual one."""
