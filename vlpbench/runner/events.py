"""What the runner says while a grid runs; whoever shows it decides how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Event", "What"]

What = Literal[
    "preparing", "reused", "skipped", "started", "progress", "warning", "waiting", "timeout", "retried", "stopping",
    "stopped", "taken", "done", "failed",
]
"""What happens to a cell, or to the whole run.

`waiting`: the cell waits for a stage that another process runs. `retried`: a failed try is tried again. `stopping`: the
run was asked to stop; cells finish their step. `stopped`: a cell has written its checkpoint and ended. `taken`: another
runner runs the cell, or ran it. `timeout`: its time limit ended it.
"""


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
    bytes_held: int = 0
    """Memory of the device that the cell holds, or of its process on a CPU; 0 where nobody has looked."""
