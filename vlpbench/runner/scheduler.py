"""Many cells' lives: one child process each, as many at once as there are slots, each on a core of its own on a CPU."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from vlpbench.data.folders import cache_folder, data_root
from vlpbench.grid import Cell
from vlpbench.registry import Registry
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.tuning import next_stage
from vlpbench.runner.worker import Order, work
from vlpbench.training.pace import PACE, Pace

__all__ = ["Slots", "run_cells", "warm_up"]


@dataclass(frozen=True)
class Slots:
    """What a grid may use of this machine."""

    device: str
    """ "cpu" or "cuda"."""
    jobs: int
    """Cells at once."""
    pace: Pace = PACE
    """Threads of each cell that make batches ahead of time."""

    def core(self, slot: int) -> int | None:
        """The core of a slot; cells on a CPU compute with one thread, so each gets one to itself."""
        if self.device != "cpu" or not hasattr(os, "sched_getaffinity"):
            return None
        cores = sorted(os.sched_getaffinity(0))
        return cores[slot % len(cores)] if self.jobs <= len(cores) else None


@dataclass
class _Running:
    """A cell that runs, and where it will leave its record."""

    order: Order
    slot: int
    process: Any
    pipe: Connection
    ended: bool = False

    @property
    def cell(self) -> Cell:
        return self.order.cell

    def events(self) -> Iterator[Event]:
        """What the child has said since it was last listened to."""
        try:
            while self.pipe.poll():
                event: Event = self.pipe.recv()
                self.ended = self.ended or event.what in ("done", "failed")
                yield event
        except EOFError:
            return

    def gone(self) -> bool:
        """Whether it has ended, by its own word or without one."""
        return self.ended or not self.process.is_alive()


def run_cells(
    cells: Sequence[Cell], results: Path, registry: Registry, slots: Slots, heard: Callable[[Event], None]
) -> None:
    """Run all cells; each end is heard as "done" or "failed". KeyboardInterrupt stops the children and goes on up.

    Cells that share a tuning or a pretraining do not run it twice: the second waits until the first has left it.
    """
    waiting = list(cells)
    running: dict[int, _Running] = {}
    context = _context()
    try:
        while waiting or running:
            while len(running) < slots.jobs and (cell := _next(waiting, running.values(), results, registry)):
                waiting.remove(cell)
                slot = min(set(range(slots.jobs)) - running.keys())
                order = Order(
                    cell, results, registry.files, registry.blocked, slots.device, slots.core(slot), slots.pace,
                    _folders(),
                )
                running[slot] = _start(context, order, slot)
                heard(Event("started", cell.id))
            for slot, one in list(running.items()):
                gone = one.gone()  # asked first, so that what was said before the end is heard below
                for event in one.events():
                    heard(event)
                if gone or one.ended:
                    _bury(one, registry, heard)
                    del running[slot]
            if running:  # else a place is free: go on at once
                wait([thing for one in running.values() for thing in (one.pipe, one.process.sentinel)], timeout=1.0)
    finally:
        for one in running.values():
            one.process.kill()
            one.process.join()


def _folders() -> dict[str, str]:
    return {"VLPBENCH_DATA": str(data_root()), "VLPBENCH_CACHE": str(cache_folder())}


def warm_up() -> None:
    """Let the fork server load torch and timm by itself while the caller prepares data."""
    context = _context()
    if context.get_start_method() == "forkserver":
        forkserver.ensure_running()


def _context() -> Any:
    """A fork server that has torch and timm in memory starts a child in milliseconds; elsewhere a fresh interpreter."""
    method = "forkserver" if sys.platform.startswith("linux") else "spawn"
    context: Any = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["vlpbench.runner.worker"])
    return context


def _next(waiting: Sequence[Cell], running: Iterable[_Running], results: Path, registry: Registry) -> Cell | None:
    """The first waiting cell whose next stage (tuning, then pretraining) no other is running right now."""
    busy = {next_stage(one.cell, results, registry) for one in running} - {None}
    return next((cell for cell in waiting if next_stage(cell, results, registry) not in busy), None)


def _start(context: Any, order: Order, slot: int) -> _Running:
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(order, theirs), name=f"cell {order.cell.id}")
    process.start()
    theirs.close()
    return _Running(order, slot, process, mine)


def _bury(one: _Running, registry: Registry, heard: Callable[[Event], None]) -> None:
    """Wait for the end of a child; one that died without a word leaves a record all the same."""
    one.process.join()
    one.pipe.close()
    if not one.ended:
        folder = folder_of(one.cell, one.order.results)
        if not (folder.path / "settings.json").is_file():  # it had not even begun
            folder.begin(described(one.cell, registry))
        cause = f"the process ended without a word (exit code {one.process.exitcode}); see {folder.path.name}/log.txt"
        folder.fail(cause, {}, {})
        heard(Event("failed", one.cell.id, cause))
