"""What checkpoints cost a training: writing one, by size of the model, and a training with and without them.

usage: python benchmarks/checkpoints.py [--sizes nano,tiny,base] [--samples 6400] [--rounds 2] [--skip-default]

Writing: all that a training of PrefixLM holds between two steps (weights, AdamW's two moments) through `Keeper.keep`,
which writes, flushes to the disk, reads again for the hash and renames; the median of three, of one beyond 1 GiB. The
share is that over the default interval, the longer of a minute and 50 times what writing takes: 2% is its limit, and
beyond 1.2 s of writing it is 2% by its making. A base model takes 8 GiB of memory here and 6 GiB in DIR.

Training: the demo's model on its data, with a checkpoint each second and with none, alternated, in one process with one
thread; then one pair at the default interval that is as long as the interval and a quarter. In a training is counted
what `Keeper` took out of it, snapshot included, beside the ratio of the two sides, which others on the machine move.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import vlpbench.training.loop as loop
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device
from vlpbench.grid import open_grid
from vlpbench.runner.batches import pretraining_loader
from vlpbench.runner.plan import plan_grid
from vlpbench.runner.pretraining import learner_of
from vlpbench.runner.workbench import Workbench
from vlpbench.training.course import Course
from vlpbench.training.pace import Pace
from vlpbench.training.snapshot import LEAST, TIMES, Keeper, Snapshot
from vlpbench.training.underway import Underway

LIMIT = 0.02
"""Share of a training's time that goes into checkpoints at the default interval."""


class Counted(Keeper):
    """A keeper that counts what it keeps, and what time that takes."""

    written, spent = 0, 0.0

    def keep(self, snapshot: Snapshot) -> None:
        """Keep it."""
        start = time.perf_counter()
        super().keep(snapshot)
        Counted.written, Counted.spent = Counted.written + 1, Counted.spent + time.perf_counter() - start


def bench_of(folder: Path, *said: str, tokenizer: Tokenizer | None = None) -> Workbench:
    """What the demo's cell of PrefixLM works with."""
    grid, registry = open_grid("demo", ("seeds=[0]", "floors=false", *said))
    cell = next(one for one in plan_grid(grid, registry, folder).cells if one.settings.objective == "prefix-lm")
    return Workbench(cell, registry, Device("cpu"), tokenizer=tokenizer)


def underway(bench: Workbench) -> Underway:
    """A training after a step whose gradients were nothing, so that all moments are there."""
    run = Underway(learner_of(bench), bench.settings.optim)
    for weight in run.learner.parameters():
        weight.grad = torch.zeros_like(weight)
    run.optimizer.step()
    run.optimizer.zero_grad(set_to_none=True)
    return run


def writing(bench: Workbench, folder: Path) -> tuple[int, float]:
    """Bytes of a checkpoint, and seconds to write one."""
    run = underway(bench)
    keeper = Keeper(folder, run.decided_by(1, 0))
    held, times = 0, []
    while not times or (len(times) < 3 and held < 2**30):
        start = time.perf_counter()
        keeper.keep(run.snapshot())
        times.append(time.perf_counter() - start)
        held = sum(path.stat().st_size for path in folder.iterdir())
    if keeper.failing:
        raise SystemExit("the checkpoint could not be written")
    return held, statistics.median(times)


def sizes(names: list[str], folder: Path, bench: Workbench) -> bool:
    """Print a line a size; whether the share is kept at all of them."""
    print(f"{'size':10}{'MiB':>9}{'seconds':>10}{'MiB/s':>8}{'interval s':>12}{'share':>9}")
    fine = True
    for name in names:
        said = f"backbone=conv3/encoder-decoder/{name}"
        held, seconds = writing(bench_of(folder, said, tokenizer=bench.tokenizer), folder / f"writing-{name}")
        interval = max(LEAST, TIMES * seconds)
        share = seconds / interval
        fine &= share <= LIMIT + 1e-9
        print(f"{name:10}{held / 2**20:9.0f}{seconds:10.3f}{held / 2**20 / seconds:8.0f}{interval:12.0f}{share:9.2%}",
              flush=True)
        for path in (folder / f"writing-{name}").iterdir():
            path.unlink()
    return fine


def trained(bench: Workbench, folder: Path | None, every: float) -> tuple[float, float]:
    """Seconds of one whole training, of the wall and of the processor; no folder: no checkpoints."""
    learner, loader = learner_of(bench), pretraining_loader(bench)
    start, own = time.perf_counter(), time.process_time()
    loop.train(learner, loader, bench.settings.optim, bench.device, Course(folder=folder, pace=Pace(every=every)))
    return time.perf_counter() - start, time.process_time() - own


def beside(make: Callable[[], Any], rounds: int, folder: Path, every: float, what: str) -> float:
    """Print what checkpoints cost in alternated trainings; their share of the time."""
    shares, walls, owns = [], [], []
    Counted.written = 0
    for number in range(rounds):
        without = trained(make(), None, every)
        Counted.spent = 0.0
        found = trained(make(), folder / f"{what}-{number}", every)
        shares.append(Counted.spent / (found[0] - Counted.spent))
        walls.append(found[0] / without[0])
        owns.append(found[1] / without[1])
    share = statistics.median(shares)
    print(f"{what}: {Counted.written / rounds:.1f} checkpoints in {found[0]:.0f} s take {share:.2%} of the rest; "
          f"with / without: {statistics.median(walls):.3f} of the wall, {statistics.median(owns):.3f} of the processor",
          flush=True)
    return share


def main() -> int:
    """Print both tables; exit 1 where checkpoints cost more than the limit at the default interval."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="nano,tiny,base", help="of models")
    parser.add_argument("--samples", type=int, default=6400, help="of a training with a checkpoint each second")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--skip-default", action="store_true", help="leave out the pair at the default interval")
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured; a temporary one by default")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    loop.Keeper = Counted  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory(dir=asked.folder) as temporary:
        os.environ["VLPBENCH_CACHE"] = f"{temporary}/cache"
        folder = Path(temporary)
        bench = bench_of(folder, f"budget.samples={asked.samples}")
        fine = sizes(asked.sizes.split(","), folder, bench)
        rate = asked.samples / trained(bench, None, 0.0)[0]  # which also opens all that the others use
        beside(lambda: bench, asked.rounds, folder, 1.0, "each second")
        if not asked.skip_default:
            longer = bench_of(folder, f"budget.samples={round(1.25 * LEAST * rate)}", tokenizer=bench.tokenizer)
            fine &= beside(lambda: longer, 1, folder, 0.0, "default interval") <= LIMIT
    print(f"{os.cpu_count()} cores, {os.getloadavg()[1]:.1f} processes want to run")
    print(f"limit {LIMIT:.0%} of the time at the default interval: {'kept' if fine else 'BROKEN'}")
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
