"""Cells in one process, whoever started it: a launcher's child, a queue, or a person who typed `run cell`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vlpbench.device import Device, prepare_process
from vlpbench.grid import Cell
from vlpbench.records import Claims
from vlpbench.registry import load_registry
from vlpbench.runner.cell import Hands, folder_of, run_cell
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stopping import Stopping
from vlpbench.training.pace import PACE, Pace, Stopped, never

__all__ = ["DONE", "FAILED", "STOPPED", "TAKEN", "Order", "claim_name", "live"]

DONE, FAILED, TAKEN, STOPPED = 0, 1, 75, 143
"""Exit codes of a cell's process: done; failed, with a record; another process runs it; asked to stop."""


@dataclass(frozen=True)
class Order:
    """Cells, and all that a process must know to run them."""

    cells: tuple[Cell, ...]
    """One cell, or several that differ by their seed alone and learn together."""
    results: Path
    """The grid's results."""
    plugins: tuple[Path, ...] = ()
    """Single plugin files to load."""
    blocked: tuple[str, ...] = ()
    """Plugins to leave alone."""
    device: str = "cpu"
    """ "cpu" or "cuda"."""
    pace: Pace = PACE
    """How it goes about its work."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Versions, commit and command of the run, for the record."""

    def __call__(self) -> int:
        """Run them in this process; the exit code: that of the first that did not end as done."""
        device = Device(self.device)
        prepare_process(device)
        registry = load_registry(self.plugins, self.blocked)
        with Stopping() as stop:
            hands = Hands(registry, device, replace(self.pace, stop=stop), None, self.provenance)
            try:
                return next((code for code in self._codes(hands) if code != DONE), DONE)
            except Stopped:
                return STOPPED

    def _codes(self, hands: Hands) -> list[int]:
        return [live(cell, self.results, hands) for cell in self.cells]


def live(cell: Cell, results: Path, hands: Hands) -> int:
    """Run a cell unless another process has it, or has left its record; DONE, FAILED or TAKEN.

    How far it is goes into its claim, for all who look. Raises Stopped.
    """
    claim = Claims(results / CLAIMS).take(claim_name(cell))
    if claim is None:
        return TAKEN
    with claim:
        state = folder_of(cell, results).state()
        if state in ("done", "failed", "timeout"):  # whoever asked saw none: another process was faster
            return DONE if state == "done" else FAILED

        def hearing(stage: str, done: int, of: int, figures: Mapping[str, float]) -> None:
            held = hands.device.held_bytes()
            claim.tell(stage, done, of, {**figures, **({"bytes_held": held} if held else {})})
            if hands.hearing is not None:
                hands.hearing(stage, done, of, figures)

        if isinstance(hands.pace.stop, Stopping):
            hands.pace.stop.lost = lambda: claim.lost
        try:
            return DONE if run_cell(cell, results, replace(hands, hearing=hearing)) else FAILED
        except Stopped:
            if claim.lost:
                return TAKEN
            raise
        finally:
            if isinstance(hands.pace.stop, Stopping):
                hands.pace.stop.lost = never


def claim_name(cell: Cell) -> str:
    """Under which a cell is claimed."""
    return f"cell-{cell.id}"
