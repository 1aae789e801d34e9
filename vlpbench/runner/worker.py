"""A child process for one cell: what it says goes through a pipe, what it leaves is on disk."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import timm.models.resnet  # noqa: F401  (so that a fork server has it in memory)

from vlpbench.device import Device, prepare_process
from vlpbench.grid import Cell
from vlpbench.registry import load_registry
from vlpbench.runner.cell import folder_of, run_cell
from vlpbench.runner.events import Event
from vlpbench.training.pace import PACE, Pace

__all__ = ["Order", "work"]


@dataclass(frozen=True)
class Order:
    """What a worker is to do."""

    cell: Cell
    """The cell."""
    results: Path
    """The grid's results."""
    plugins: Sequence[Path]
    """Single plugin files to load."""
    blocked: Sequence[str]
    """Plugins to leave alone."""
    device: str
    """ "cpu" or "cuda"."""
    core: int | None = None
    """The core to stay on; None leaves that to the system."""
    pace: Pace = PACE
    """Threads that make batches ahead of time."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """The variables that name the data and cache folders; a fork server has those of when it was started."""


def work(order: Order, pipe: Connection) -> None:
    """Run the cell of an order; the last thing said is "done" or "failed". All that is printed goes to `log.txt`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    os.environ.update(order.folders)
    folder = folder_of(order.cell, order.results)
    folder.path.mkdir(parents=True, exist_ok=True)
    with (folder.path / "log.txt").open("w") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        if order.core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {order.core})
        device = Device(order.device)
        prepare_process(device)

        def hearing(stage: str, done: int, of: int, figures: Mapping[str, float]) -> None:
            _say(pipe, Event("progress", order.cell.id, stage, done, of, dict(figures)))

        registry = load_registry(order.plugins, order.blocked)
        ok = run_cell(order.cell, order.results, registry, device, hearing, order.pace)
        _say(pipe, Event("done" if ok else "failed", order.cell.id, str(folder.status().get("cause", ""))))


def _say(pipe: Connection, event: Event) -> None:
    """Tell the parent. Where it is gone (killed), end at once: the cell is then undone, not failed."""
    try:
        pipe.send(event)
    except OSError:
        os._exit(1)
