"""What the runner says while a grid runs; whoever shows it decides how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Event", "What"]

What = Literal["preparing", "reused", "skipped", "started", "progress", "warning", "done", "failed"]


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    what: What
    """Which kind."""
    cell: str = ""
    """The cell's id; empty for what concerns all."""
    said: str = ""
    """A sentence: the stage, the reason, the cause."""
    done: int = 0
    """Units of work done, of `of`: steps of a stage, or pictures prepared."""
    of: int = 0
    """Units of work in all."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """The last figures of the training."""
