"""What a cell costs beside its training and evaluation: cells of the demo that take one step a stage.

usage: python benchmarks/overhead.py

Everything but the training is as large as in the demo: 6,000 pictures, 30,000 captions, all three tasks. A cell's wall
time, from the event that it started to the event that it is done, is then nearly all overhead: start of its process,
data, tokens, building, records. `timing.json` tells which part of it lies inside of its stages. One cell at a time.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from vlpbench.grid import open_grid
from vlpbench.records import cell_folders
from vlpbench.runner.events import Event
from vlpbench.runner.grid_run import plan_grid, run_grid

LIMIT = 3.0
"""Seconds a cell, after the first."""
TINY = (
    "budget.samples=64", "protocol.vqa.samples=64", "protocol.captioning.samples=64", "protocol.retrieval.samples=64",
    "data.digits.val=20", "data.digits.test=20",
)


def measure(folder: Path) -> list[tuple[str, float, float, float]]:
    """Cell, seconds from started to done, seconds inside of stages, seconds since the cell before it was done."""
    grid, registry = open_grid("demo", TINY)
    plan = plan_grid(grid, registry, folder)
    heard: list[tuple[float, Event]] = []
    run_grid(plan, registry, device="cpu", jobs=1, heard=lambda event: heard.append((time.perf_counter(), event)))
    records = list(cell_folders(plan.results))
    inside = {cell.read("settings.json")["id"]: cell.read("timing.json")["total"] for cell in records}
    names = {cell.id: f"{cell.row}, seed {cell.seed}" for cell in plan.cells}
    found, before, start = [], heard[-1][0], 0.0
    for moment, event in heard:
        if event.what == "started":
            start = moment
        elif event.what in ("done", "failed"):
            gap = max(0.0, start - before) if found else 0.0
            found.append((names[event.cell], moment - start, inside[event.cell], gap))
            before = moment
    return found


def main() -> int:
    """Print the table; exit 1 where a cell after the first takes longer than the limit."""
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["VLPBENCH_CACHE"] = f"{temporary}/cache"
        found = measure(Path(temporary))
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} of them wanted on average in the last minute")
    print(f"{'cell':28}{'wall s':>8}{'in stages':>11}{'outside':>9}{'gap before':>12}")
    for name, wall, inside, gap in found:
        print(f"{name:28}{wall:8.2f}{inside:11.2f}{wall - inside:9.2f}{gap:12.2f}")
    worst = max(wall + gap for _, wall, _, gap in found[1:])
    print(f"limit {LIMIT} s after the first cell: {'kept' if worst <= LIMIT else 'broken'} (longest {worst:.2f} s)")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
