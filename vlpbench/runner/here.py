"""Cells in this very process, one group after the other: what `vlpbench run cell` does, and every launcher has done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlpbench.device import Device, prepare_process
from vlpbench.grid import Cell
from vlpbench.registry import Registry
from vlpbench.runner.cell import Hands, folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.rules import Rules
from vlpbench.runner.stopping import Stopping
from vlpbench.runner.worker import DONE, TAKEN, live, live_together
from vlpbench.training.pace import Stopped

__all__ = ["run_here"]


def run_here(
    groups: Sequence[Sequence[Cell]], results: Path, registry: Registry, rules: Rules, provenance: Mapping[str, Any],
    heard: Callable[[Event], None],
) -> None:
    """Run cells, those of a group as one model; one that another process runs is waited for.

    KeyboardInterrupt where somebody asked to stop.
    """
    device = Device.choose(rules.device)
    prepare_process(device)
    with Stopping() as stop:

        def hands_of(cell: Cell) -> Hands:
            def hearing(stage: str, done: int, of: int, figures: Mapping[str, float]) -> None:
                heard(Event("progress", cell.id, stage, done, of, figures))

            return Hands(registry, device, replace(rules.pace, stop=stop), hearing, provenance)

        for group in groups:
            for cell in group:
                heard(Event("started", cell.id))
            try:
                codes = live_together(group, results, hands_of)
                ends = [_waited(cell, code, results, hands_of, heard) for cell, code in zip(group, codes, strict=True)]
            except Stopped:
                for cell in group:
                    heard(Event("stopped", cell.id, "it goes on from its last checkpoint"))
                raise KeyboardInterrupt from None
            for cell, ended in zip(group, ends, strict=True):
                cause = str(folder_of(cell, results).status().get("cause", ""))
                heard(Event("done" if ended == DONE else "failed", cell.id, cause))


def _waited(
    cell: Cell, ended: int, results: Path, hands_of: Callable[[Cell], Hands], heard: Callable[[Event], None]
) -> int:
    """How the cell ended, here or in the process that has it."""
    if ended == TAKEN:
        heard(Event("waiting", cell.id, "another process runs it"))
    while ended == TAKEN:
        time.sleep(0.5)
        ended = live(cell, results, hands_of(cell))
    return ended
