"""Small cells at once beside one after another: seeds that train as one model, and processes that share a device.

usage: python benchmarks/seeds_together.py [--only together|packed] [--device cuda] [--seeds K] [--at-once 2,4,8]
                                           [--backbone B --batch N --steps N] [--rounds N] [--json FILE]

together: K seeds of a nano cell through `train_together`, which gives their weights a leading axis, and through
`train`, one after another; the same steps of the same batches. The largest difference of a logged loss is told. A GPU
is to gain by the factor of the limit. A CPU is expected to lose: convolutions with a seed axis are grouped ones, and
no core was idle; so there is no limit, and cells that differ by seed are packed there instead.

packed: several processes, each with a cell of its own, that take their steps all at once and then one after another;
all are started and warm before, and alternate from round to round. On a CPU nano cells with one thread, each pinned to
a core, as many as there are cores; on a GPU cells of size small (512 wide, 8 + 8 layers), and of the numbers of
`--at-once` the best counts. The ratio is the time together over the time one after another, which is that of any
number of cells that are always run so many at once. Where others use the machine, too, the wall says more of them than
of us; `--clock cpu` counts the processor seconds of the slowest process beside those of all, as if it had a core of its
own: what sharing caches and memory costs, not whether a core was free.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import torch
from ours import OPTIM, Setting, as_published, build_learner, loader_of, training_of
from side_by_side import Line, alternate, arguments, begin, finish, median_ratio, middle

from vlpbench.device import Device, prepare_process
from vlpbench.training.going import Lesson
from vlpbench.training.loop import train
from vlpbench.training.together import train_together

TOGETHER, PACKED_GPU, PACKED_CPU = 4.0, 0.4, 0.6
"""How many times as fast K seeds are together on a GPU; shares of the time one after another that packed cells take."""
WARM = 3
"""Steps of a process before any is timed."""


def together(asked: argparse.Namespace, device: Device) -> list[Line]:
    """K seeds with a seed axis, and one after another."""
    setting = as_published(asked.backbone or "conv3/encoder-decoder/nano", asked.batch or 64)
    steps = asked.steps or (200 if device.kind == "cuda" else 3)
    seeds = [replace(setting, seed=seed) for seed in range(asked.seeds)]
    loaders = [loader_of(one, steps) for one in seeds]
    losses: dict[str, list[float]] = {}

    def learners() -> list[Any]:
        return [build_learner(one, device) for one in seeds]

    def as_one() -> None:
        lessons = [Lesson(learner, loader, OPTIM) for learner, loader in zip(learners(), loaders, strict=True)]
        found = train_together(lessons, device)
        for one in found:
            if isinstance(one, Exception):
                raise one
        losses["together"] = [row["loss"] for one in found for row in one.curve]  # type: ignore[union-attr]

    def alone() -> None:
        found = [train(one, loader, OPTIM, device) for one, loader in zip(learners(), loaders, strict=True)]
        losses["alone"] = [row["loss"] for one in found for row in one.curve]

    times = alternate({"together": as_one, "alone": alone}, asked.rounds, device, asked.clock)
    apart = max(abs(one - other) for one, other in zip(losses["together"], losses["alone"], strict=True))
    print(f"largest difference of a loss between together and alone: {apart:.1e}", flush=True)
    pairs = steps * setting.batch * len(seeds)
    rates = [pairs / middle(times[name]) for name in ("together", "alone")]
    limit = TOGETHER if device.kind == "cuda" else None
    return [Line(
        f"{setting.backbone}, {len(seeds)} seeds of {setting.batch} pairs: as one model against one after another",
        "pairs/s", *rates, median_ratio(times["together"], times["alone"]), limit, beside={"largest_difference": apart},
    )]


def work(setting: Setting, kind: str, core: int | None, steps: int, pipe: Connection) -> None:
    """A process with one cell: says when it is warm, then takes `steps` whenever it is told to."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    device = Device(kind)
    prepare_process(device)
    torch.manual_seed(setting.seed)
    ours = training_of(setting, device)
    for _ in range(WARM):
        ours.step()
    device.seconds()
    pipe.send("warm")
    while pipe.recv():
        start = time.process_time()
        for _ in range(steps):
            ours.step()
        device.seconds()
        pipe.send(time.process_time() - start)


class Crew:
    """Processes that wait for work; ended with the block."""

    def __init__(self, setting: Setting, device: Device, many: int, steps: int) -> None:
        fresh = multiprocessing.get_context("spawn")
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        pinned = device.kind == "cpu" and many <= len(cores)
        self.pipes, self.processes = [], []
        for at in range(many):
            mine, theirs = fresh.Pipe()
            one = replace(setting, seed=at)
            core = cores[at] if pinned else None
            process = fresh.Process(target=work, args=(one, device.kind, core, steps, theirs), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(mine)
            self.processes.append(process)
        for pipe in self.pipes:
            pipe.recv()

    def all_at_once(self, clock: str) -> float:
        """Seconds of the wall; of the processor, those of the process that took most."""
        start = time.perf_counter()
        for pipe in self.pipes:
            pipe.send(True)
        own = [pipe.recv() for pipe in self.pipes]
        return max(own) if clock == "cpu" else time.perf_counter() - start

    def one_by_one(self, clock: str) -> float:
        """Seconds of the wall; of the processor, those of all processes."""
        start, own = time.perf_counter(), 0.0
        for pipe in self.pipes:
            pipe.send(True)
            own += pipe.recv()
        return own if clock == "cpu" else time.perf_counter() - start

    def close(self) -> None:
        """End them."""
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            if process.is_alive():
                pipe.send(False)
            process.join(30)
            if process.is_alive():
                process.kill()


def packed(asked: argparse.Namespace, device: Device) -> list[Line]:
    """Processes at once, and one after another."""
    large = device.kind == "cuda"
    setting = as_published(asked.backbone or f"conv3/encoder-decoder/{'small' if large else 'nano'}", asked.batch or 64)
    steps = asked.steps or (50 if large else 8)
    usual = "2,4,8" if large else str(min(8, max(2, Device.cores())))
    lines = []
    for many in [int(one) for one in (asked.at_once or usual).split(",")]:
        with ExitStack() as stack:
            try:
                crew = Crew(setting, device, many, steps)
            except EOFError:
                print(f"{many} at once are left out: a process ended before it was warm", flush=True)
                continue
            stack.callback(crew.close)
            crew.all_at_once("wall"), crew.one_by_one("wall")
            found = [(crew.all_at_once(asked.clock), crew.one_by_one(asked.clock)) for _ in range(asked.rounds)]
        ratio = median_ratio([serial for _, serial in found], [at_once for at_once, _ in found])
        pairs = many * steps * setting.batch
        rates = [pairs / middle([one[at] for one in found]) for at in (0, 1)]
        what = f"{setting.backbone}, {setting.batch} pairs: {many} processes at once against one after another"
        lines.append(Line(what, "pairs/s", *rates, ratio, most=True))
    if lines:  # who packs takes the number that gains most
        best = min(range(len(lines)), key=lambda at: lines[at].ratio)
        lines[best] = replace(lines[best], limit=PACKED_GPU if large else PACKED_CPU)
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Print all ratios; exit 1 where a limit is broken."""
    parser = arguments(__doc__ or "", rounds=3)
    parser.add_argument("--only", choices=["together", "packed"])
    parser.add_argument("--seeds", type=int, help="that train together: 8 on a GPU, else 3")
    parser.add_argument("--at-once", help="processes at once, several numbers divided by commas")
    parser.add_argument("--backbone", help="stem/trunk/size")
    parser.add_argument("--batch", type=int, help="pairs of a step (default 64)")
    parser.add_argument("--steps", type=int, help="of a training, or of a turn of a process")
    asked = parser.parse_args(argv)
    device = begin(asked)
    asked.seeds = asked.seeds or (8 if device.kind == "cuda" else 3)
    lines = []
    if asked.only in (None, "together"):
        lines += together(asked, device)
    if asked.only in (None, "packed"):
        lines += packed(asked, device)
    return finish(lines, asked, device)


if __name__ == "__main__":
    sys.exit(main())
