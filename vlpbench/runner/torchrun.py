"""What torchrun tells each process that it starts: whether there are others, and which GPU is its own."""

from __future__ import annotations

import os

from vlpbench.device import Device
from vlpbench.errors import UserError

__all__ = ["refuse_processes", "started_together", "take_own"]

_SAID = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def started_together() -> int:
    """How many processes torchrun has started, of which this is one; 1 where it was started alone."""
    return int(os.environ["WORLD_SIZE"]) if all(os.environ.get(name) for name in _SAID) else 1


def refuse_processes() -> None:
    """UserError where torchrun started a whole grid: what it has at once are cells."""
    if started_together() > 1:
        raise UserError(
            f"torchrun started {started_together()} processes, which can share one cell; a grid runs its cells side "
            "by side by itself", "torchrun",
            "vlpbench run grid without torchrun, or: torchrun --nproc-per-node K -m vlpbench run cell GRID ID",
        )


def take_own(device: Device) -> None:
    """Of a machine's GPUs the one of this process; UserError where there are more processes than GPUs."""
    number = int(os.environ.get("LOCAL_RANK", os.environ["RANK"]))
    found = len(device.visible())
    if device.kind != "cpu" and number >= found:
        raise UserError(
            f"process {number + 1} of this machine has no GPU of its own: there are {found}", "--nproc-per-node",
            f"start {found} processes",
        )
    device.take(number)
