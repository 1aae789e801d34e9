"""Cells in this very process, one after the other: what `vlpbench run cell` does, and every launcher has done."""

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
from vlpbench.runner.worker import DONE, TAKEN, live
from vlpbench.training.pace import Stopped

__all__ = ["run_here"]


def run_here(
    cells: Sequence[Cell], results: Path, registry: Registry, rules: Rules, provenance: Mapping[str, Any],
    heard: Callable[[Event], None],
) -> None:
    """Run cells; one that another process runs is waited for. KeyboardInterrupt where somebody asked to stop."""
    device = Device.choose(rules.device)
    prepare_process(device)
    with Stopping() as stop:
        for cell in cells:

            def hearing(stage: str, done: int, of: int, figures: Mapping[str, float], cell: Cell = cell) -> None:
                heard(Event("progress", cell.id, stage, done, of, figures))

            hands = Hands(registry, device, replace(rules.pace, stop=stop), hearing, provenance)
            heard(Event("started", cell.id))
            try:
                ended = _lived(cell, results, hands, heard)
            except Stopped:
                heard(Event("stopped", cell.id, "it goes on from its last checkpoint"))
                raise KeyboardInterrupt from None
            cause = str(folder_of(cell, results).status().get("cause", ""))
            heard(Event("done" if ended == DONE else "failed", cell.id, cause))


def _lived(cell: Cell, results: Path, hands: Hands, heard: Callable[[Event], None]) -> int:
    """How the cell ended, here or in the process that has it."""
    said = False
    while (ended := live(cell, results, hands)) == TAKEN:
        if not said:
            heard(Event("waiting", cell.id, "another process runs it"))
            said = True
        time.sleep(0.5)
    return ended
