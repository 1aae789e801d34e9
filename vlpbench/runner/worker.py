"""Cells in one process, whoever started it: a launcher's child, a queue, or a person who typed `run cell`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vlpbench.device import Device, prepare_process
from vlpbench.grid import Cell
from vlpbench.records import Claim, Claims
from vlpbench.registry import load_registry
from vlpbench.runner.cell import Hands, folder_of, run_cell
from vlpbench.runner.sharing import CLAIMS, Sharing
from vlpbench.runner.stopping import Stopping
from vlpbench.runner.together import learn_together
from vlpbench.training.pace import PACE, Pace, Stopped, never

__all__ = ["DONE", "FAILED", "STOPPED", "TAKEN", "Order", "claim_name", "live", "live_together"]

DONE, FAILED, TAKEN, STOPPED = 0, 1, 75, 143
"""Exit codes of a cell's process: done; failed, with a record; another process runs it; asked to stop."""

_ENDED = ("done", "failed", "timeout")
"""The states of a cell that has a record."""


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
                codes = live_together(self.cells, self.results, lambda cell: hands)
                return next((code for code in codes if code != DONE), DONE)
            except Stopped:
                return STOPPED


def live(cell: Cell, results: Path, hands: Hands) -> int:
    """Run a cell unless another process has it, or has left its record; DONE, FAILED or TAKEN.

    How far it is goes into its claim, for all who look. Raises Stopped.
    """
    return live_together([cell], results, lambda one: hands)[0]


def live_together(cells: Sequence[Cell], results: Path, hands_of: Callable[[Cell], Hands]) -> list[int]:
    """Run cells that differ by their seed alone: they learn as one model, then each lives its own life.

    DONE, FAILED or TAKEN for each, as `live` says it. Raises Stopped.
    """
    claims = Claims(results / CLAIMS)
    with ExitStack() as stack:
        held: dict[str, tuple[Claim, Hands]] = {}
        for cell in cells:
            if claim := claims.take(claim_name(cell)):
                held[cell.id] = stack.enter_context(claim), _heard(claim, hands_of(cell))
        stack.enter_context(_losing(held))
        try:
            _learn([cell for cell in cells if cell.id in held], results, held)
            return [_lived(cell, results, held[cell.id][1]) if cell.id in held else TAKEN for cell in cells]
        except Stopped:
            if any(claim.lost for claim, _ in held.values()):
                return [TAKEN] * len(cells)
            raise


def _heard(claim: Claim, hands: Hands) -> Hands:
    """Hands whose cell is heard of in its claim, too."""

    def hearing(stage: str, done: int, of: int, figures: Mapping[str, float]) -> None:
        bytes_held = hands.device.held_bytes()
        claim.tell(stage, done, of, {**figures, **({"bytes_held": bytes_held} if bytes_held else {})})
        if hands.hearing is not None:
            hands.hearing(stage, done, of, figures)

    return replace(hands, hearing=hearing)


@contextmanager
def _losing(held: Mapping[str, tuple[Claim, Hands]]) -> Iterator[None]:
    """Inside, all stop where another process has taken the cell of one."""
    stops = [hands.pace.stop for _, hands in held.values() if isinstance(hands.pace.stop, Stopping)]
    for stop in stops:
        stop.lost = lambda: any(claim.lost for claim, _ in held.values())
    try:
        yield
    finally:
        for stop in stops:
            stop.lost = never


def _learn(cells: Sequence[Cell], results: Path, held: dict[str, tuple[Claim, Hands]]) -> None:
    """Let the cells without a record learn together; what they have spent is put into their hands."""
    waiting = [cell for cell in cells if folder_of(cell, results).state() not in _ENDED]
    if len(waiting) < 2:
        return
    first = held[waiting[0].id][1]
    sharing = Sharing(results, first.pace.stop)
    learning = learn_together(
        waiting, sharing, first.registry, first.device, first.pace, lambda cell: held[cell.id][1].hearing
    )
    for cell in waiting:
        claim, hands = held[cell.id]
        held[cell.id] = claim, replace(hands, bench=learning.bench, spent=learning.spent.get(cell.id, {}))


def _lived(cell: Cell, results: Path, hands: Hands) -> int:
    """A cell's life, unless it is over: whoever asked saw no record, and another process was faster."""
    state = folder_of(cell, results).state()
    if state in _ENDED:
        return DONE if state == "done" else FAILED
    return DONE if run_cell(cell, results, hands) else FAILED


def claim_name(cell: Cell) -> str:
    """Under which a cell is claimed."""
    return f"cell-{cell.id}"
