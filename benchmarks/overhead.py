"""What a cell costs beside its training and evaluation, and where that goes.

usage: python benchmarks/overhead.py [--cells 4] [--limit 1.0]

Cells of one row that differ in their seed, one at a time, after a first one that is not counted. Data is as large as in
the demo (6,000 pictures, 30,000 captions, 24,000 questions to learn from, all three tasks), while training takes one
step a stage and evaluation 20 pictures. Each cell's process times itself: training is the loop, evaluation is asking
and scoring; all else counts as overhead, also what `timing.json` counts inside of stages. Time between cells and what
the runner sees around a cell's process count, too. Medians over cells, in seconds of the wall and of processors; on a
machine that others use, processor seconds are the fairer of the two: the wall's hold waiting for others. The limit is
held against the wall where fewer processes want to run than there are cores, else against processor seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import vlpbench.runner.batches as batches
import vlpbench.runner.pretraining as pretraining
import vlpbench.runner.stages as stages
import vlpbench.runner.workbench as workbench
import vlpbench.runner.worker as worker
import vlpbench.tasks.fine_tuning as fine_tuning
from vlpbench.contract.launcher import Job
from vlpbench.grid import open_grid
from vlpbench.records import CellFolder, Claims, StageFolder, cell_folders
from vlpbench.runner.events import Event
from vlpbench.runner.grid_run import run_grid
from vlpbench.runner.launchers.local import Local
from vlpbench.runner.launchers.printing import Call
from vlpbench.runner.plan import plan_grid
from vlpbench.runner.rules import Rules
from vlpbench.tasks.suite import TASKS
from vlpbench.training.build import Blueprint

LIMIT = 1.0
"""Seconds a cell, after the first."""
TRAINING, EVALUATION, REST, AROUND = "training", "evaluation", "all else in its process", "around its process"
GRID = """
schema = 1
name = "overhead"
seeds = {seeds}
floors = false
tasks = ["vqa", "captioning", "retrieval"]
[base]
objective = "prefix-lm"
backbone = "conv3/encoder-decoder/nano"
data = "digits"
[data.digits]
val = 20
test = 20
[image]
size = 32
[budget]
samples = 64
[protocol.vqa]
samples = 64
[protocol.captioning]
samples = 64
[protocol.retrieval]
samples = 64
"""

Seconds = dict[str, tuple[float, float]]
"""What for -> seconds of the wall and of the processor."""


class Watch:
    """Times what runs inside of named parts; what a part calls that has a name of its own is not counted twice."""

    def __init__(self) -> None:
        self.spent: Seconds = {}
        self.inside = [REST]
        self.since = self._now()

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def _turn(self) -> None:
        """Book the time since the last turn."""
        now, before = self._now(), self.spent.get(self.inside[-1], (0.0, 0.0))
        self.spent[self.inside[-1]] = before[0] + now[0] - self.since[0], before[1] + now[1] - self.since[1]
        self.since = now

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What happens inside counts for `name`."""
        self._turn()
        self.inside.append(name)
        try:
            yield
        finally:
            self._turn()
            self.inside.pop()

    def wrap(self, owner: Any, what: str, name: str) -> None:
        """Have a function of a module or class count for `name`."""
        plain: Callable[..., Any] = getattr(owner, what)

        @functools.wraps(plain)
        def timed(*said: Any, **named: Any) -> Any:
            with self.part(name):
                return plain(*said, **named)

        setattr(owner, what, timed)

    def everywhere(self) -> None:
        """Have all parts counted in this process."""
        for room in (pretraining, fine_tuning):
            self.wrap(room, "train_lesson", TRAINING)
            self.wrap(room, "save_weights", "weights written")
        for task in {type(one) for one in TASKS.values()}:
            self.wrap(task, "predict", EVALUATION)
            self.wrap(task, "score", EVALUATION)
            self.wrap(task, "facts", "readouts: facts and examples")
            self.wrap(task, "examples", "readouts: facts and examples")
        self.wrap(workbench, "open_split", "splits read and opened")
        self.wrap(batches, "caption_examples", "captions to tokens")
        self.wrap(worker, "load_registry", "plugins loaded")
        self.wrap(Blueprint, "build", "models built")
        self.wrap(StageFolder, "keep", "predictions written and read")
        self.wrap(StageFolder, "rows", "predictions written and read")
        self.wrap(StageFolder, "told", "stages looked at and closed")
        self.wrap(StageFolder, "close", "stages looked at and closed")
        self.wrap(stages.StageFolder, "begin", "stages looked at and closed")
        self.wrap(CellFolder, "begin", "record written")
        self.wrap(CellFolder, "finish", "record written")
        self.wrap(Claims, "take", "claims taken")


@dataclasses.dataclass(frozen=True)
class Timed:
    """An order that leaves beside it what its parts took."""

    order: Callable[[], int]
    file: Path

    def __call__(self) -> int:
        """Do it."""
        watch = Watch()
        watch.everywhere()
        code = self.order()
        watch._turn()
        self.file.write_text(json.dumps(watch.spent), encoding="utf-8")
        return code


def timed_cells(folder: Path) -> None:
    """Have the launcher start cells that time themselves."""
    start = Local.start

    def starting(self: Local, job: Job, slot: int) -> Any:
        assert job.order is not None
        return start(self, dataclasses.replace(job, order=Timed(job.order, folder / f"{job.cell}.json")), slot)

    Local.start = starting  # type: ignore[method-assign]


def measure(folder: Path, cells: int) -> tuple[list[Seconds], list[float]]:
    """Of each cell after the first the seconds of its parts; and what `timing.json` leaves out of its wall time."""
    file = folder / "overhead.toml"
    file.write_text(GRID.format(seeds=list(range(cells + 1))), encoding="utf-8")
    timed_cells(folder)
    grid, registry = open_grid(str(file))
    plan = plan_grid(grid, registry, folder)
    ends: list[float] = []
    order: list[str] = []

    def heard(event: Event) -> None:
        if event.what == "started":
            order.append(event.cell)
            ends.extend([] if ends else [time.perf_counter()])  # of the first, its start
        elif event.what in ("done", "failed"):
            ends.append(time.perf_counter())

    run_grid(plan, registry, Rules("cpu", 1), Call(str(file), folder), {}, heard)
    told = {cell.read("settings.json")["id"]: cell.read("timing.json")["total"] for cell in cell_folders(plan.results)}
    found, outside = [], []
    for cell, (before, end) in zip(order, itertools.pairwise(ends), strict=True):
        spent = {name: tuple(one) for name, one in json.loads((folder / f"{cell}.json").read_text()).items()}
        spent[AROUND] = (end - before - sum(one[0] for one in spent.values()), 0.0)
        found.append(spent)
        outside.append(end - before - told[cell])
    return found[1:], outside[1:]


def main() -> int:
    """Print the table; exit 1 where the overhead of a cell is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=4, help="after the first")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds of overhead a cell")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["VLPBENCH_CACHE"] = f"{temporary}/cache"
        found, outside = measure(Path(temporary), asked.cells)
    load, cores = os.getloadavg()[1], os.cpu_count() or 1
    print(f"{cores} cores, {load:.1f} processes want to run; medians of {len(found)} cells after the first")
    names = sorted({name for one in found for name in one})
    middle = {
        name: [statistics.median(one.get(name, (0.0, 0.0))[clock] for one in found) for clock in (0, 1)]
        for name in names
    }
    print(f"{'':34}{'wall s':>8}{'processor s':>13}")
    for name in sorted(names, key=lambda name: (name not in (TRAINING, EVALUATION), -middle[name][1])):
        print(f"{name:34}{middle[name][0]:8.2f}{middle[name][1]:13.2f}")
    beside = [{name: one[name] for name in one if name not in (TRAINING, EVALUATION)} for one in found]
    over = [statistics.median(sum(part[clock] for part in one.values()) for one in beside) for clock in (0, 1)]
    print(f"{'overhead: all but the first two':34}{over[0]:8.2f}{over[1]:13.2f}")
    print(f"{'outside of what timing.json counts':34}{statistics.median(outside):8.2f}")
    clock = int(load > cores + 0.5)
    kept = over[clock] <= asked.limit
    said = ("wall", "processor")[clock]
    print(f"limit {asked.limit:g} s a cell after the first, {said} seconds: {'kept' if kept else 'BROKEN'}")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
