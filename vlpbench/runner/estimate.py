"""What a grid will cost, before it is paid for: a few steps of each distinct shape, and the grid run in thought."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vlpbench.contract.launcher import Place
from vlpbench.device import Device, environment
from vlpbench.registry import Registry
from vlpbench.runner.company import companies
from vlpbench.runner.costs import Disk, Memory, RowCost, Work, disk_of, memory_of, row_costs, run_of
from vlpbench.runner.events import Event
from vlpbench.runner.folding import groups
from vlpbench.runner.grid_run import prepare
from vlpbench.runner.measured import Found
from vlpbench.runner.measured_shapes import measure_shape
from vlpbench.runner.memory import limit_bytes
from vlpbench.runner.packing import packed
from vlpbench.runner.plan import Plan
from vlpbench.runner.rules import Rules
from vlpbench.runner.shapes import pieces_of, shapes_of

__all__ = ["Estimate", "estimate_grid", "from_plain", "to_plain"]

RULES = Rules()
"""The usual ones."""


@dataclass(frozen=True)
class Estimate:
    """What a grid will cost on this machine."""

    grid: str
    """Its name."""
    device: str
    """ "cpu" or "cuda"."""
    slots: int
    """Cells at once."""
    made: float
    """When it was made, in seconds since 1970."""
    took: float
    """Seconds that the measuring took."""
    seconds: float
    """From the first cell's start to the last one's end."""
    rows: Sequence[RowCost]
    """The rows with cells to run, in the grid's order."""
    stages: Mapping[str, Mapping[str, float]]
    """Cell's id -> what the progress of each of its stages is called -> seconds, of those that it runs itself."""
    memory: Memory
    """What the cells hold."""
    there_bytes: int
    """What the machine has of that memory."""
    disk: Disk
    """What the run leaves on disk."""
    free_bytes: int
    """Free disk where the results will be."""

    @property
    def cells(self) -> int:
        """How many cells are to be run."""
        return sum(row.cells for row in self.rows)

    @property
    def busy(self) -> float:
        """Seconds of all cells: on a CPU each has one core."""
        return sum(row.total for row in self.rows)


def estimate_grid(
    plan: Plan, registry: Registry, place: Place, heard: Callable[[Event], None], rules: Rules = RULES
) -> Estimate:
    """Measure what `plan` would run in the slots of `place`; data is prepared for it, the results stay as they are.

    It takes about ten seconds a distinct shape on a CPU, one shape after the other. What cannot be measured is told,
    not raised.
    """
    start, chosen, found = time.monotonic(), plan.chosen("run"), dict[str, Found]()
    device = Device(place.device)
    if chosen:
        prepare(chosen, registry, device, heard)
    pieces = {cell.id: list(pieces_of(cell, plan, registry)) for cell in chosen}
    shapes = shapes_of(piece for some in pieces.values() for piece in some)
    for number, shape in enumerate(shapes):
        heard(Event("preparing", "", f"measuring {shape.cell.row}", number, len(shapes)))
        found[shape.key] = measure_shape(shape, registry, device, rules.pace)
    grouped = groups(chosen, plan.results, registry, rules, place)
    place, grouped, packing = packed(grouped, place, registry, rules, heard)
    beside = companies(grouped, found, packing, registry, place, rules, heard)
    work = [Work(cell, pieces[cell.id], found, beside[cell.id]) for cell in chosen]
    run = run_of(work, place.slots)
    stages = {one.cell.id: {piece.label: paid * one.company.cells for piece, paid in one.paid(run)} for one in work}
    return Estimate(
        plan.grid.name, place.device, place.slots, time.time(), time.monotonic() - start, run.seconds,
        row_costs(work, run, registry), stages, memory_of(work, place), _there(device),
        disk_of(work, place.slots), _free(plan.results),
    )


def to_plain(estimate: Estimate) -> dict[str, Any]:
    """The estimate as JSON has it."""
    return asdict(estimate)


def from_plain(plain: Mapping[str, Any]) -> Estimate:
    """The estimate that `to_plain` wrote; KeyError or TypeError if this is none."""
    rows = [RowCost(**row) for row in plain["rows"]]
    return Estimate(**{**plain, "rows": rows, "memory": Memory(**plain["memory"]), "disk": Disk(**plain["disk"])})


def _there(device: Device) -> int:
    """Bytes of the memory that cells on this device share: of one GPU, or of the machine."""
    if device.kind == "cpu":
        return limit_bytes()
    return round(float(environment(device)["gpu_memory"].split()[0]) * 2**30)


def _free(results: Path) -> int:
    """Free bytes where a folder is, or will be."""
    there = next(path for path in (results, *results.absolute().parents) if path.is_dir())
    return shutil.disk_usage(there).free
