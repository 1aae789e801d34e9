"""What looking at a finished grid costs, and what a second job brings.

usage: python benchmarks/runner.py [--only finished|jobs] [--cells 1000] [--samples 6400] [--rounds 3]

finished: a grid of 1,000 cells, each with a whole record. Its three rows and the blind one are really run once, with
the demo's test split (500 pictures, 2,000 questions) and a training of one step a stage; their records are then written
again under the settings and ids of 250 seeds, so that nothing but the numbers is untrue. Measured, each in a process of
its own: `plan_grid`, which checks all records and the code that made them; `vlpbench.results.load(...).frame`; the
table, plain and with tested differences; and all of `vlpbench run grid`, from its start to its table, beside
`import torch` by itself, which nothing that knows objectives can do without. Files are in the page cache, as they are
when a grid has just been run.

jobs: an even number of like cells (one row, four seeds; the demo's model and data) with two jobs on two cores and with
one, alternated; each run has results of its own.

Seconds of the wall; those of processors beside them. Where more processes want to run than there are cores, limits on
single processes are held against processor seconds; the ratio of two jobs and one is then told, but proves nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vlpbench.grid import open_grid
from vlpbench.records import cell_folders
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.plan import plan_grid

LOOK, LOAD, TABLE, SHARE = 3.0, 3.0, 5.0, 0.6
"""Seconds to check 1,000 records again, to load them, to print their table; time of two jobs over time of one."""
TINY = (
    "budget.samples=64", "protocol.vqa.samples=64", "protocol.captioning.samples=64", "protocol.retrieval.samples=64",
)
PLAN = """
import sys, time
from pathlib import Path
import vlpbench.cli.run
from vlpbench.grid import open_grid
from vlpbench.runner.plan import plan_grid
wall, own = time.perf_counter(), time.process_time()
grid, registry = open_grid("demo", sys.argv[2:])
plan = plan_grid(grid, registry, Path(sys.argv[1]))
assert len(plan.chosen("done")) == len(plan.cells) and not plan.warnings
print(time.perf_counter() - wall, time.process_time() - own)
"""
FRAME = """
import sys, time
from pathlib import Path
import pandas
from vlpbench.results import load
wall, own = time.perf_counter(), time.process_time()
frame = load(Path(sys.argv[1]) / "demo").frame
assert set(frame["status"]) <= {"done", "n/a"}
print(time.perf_counter() - wall, time.process_time() - own)
"""
REPORT = (sys.executable, "-m", "vlpbench", "report", "table")
DIFFERENCES = ("--baseline", "none", "--format", "latex")
ADOPTS = 36
"""PR_SET_CHILD_SUBREAPER: children of processes that have ended become ours, so that their seconds can be asked for."""
Seconds = tuple[float, float]
"""Of the wall, and of processors."""


def ran(words: list[str], told: bool = False) -> Seconds:
    """Seconds of a process with its children, or what it prints of itself."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True)
    wall = time.perf_counter() - start
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)  # the fork server, and with it the seconds of all its cells
    if done.returncode:
        raise SystemExit(f"{' '.join(words)[:200]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if told:
        first, second = map(float, done.stdout.split())
        return first, second
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def grid_command(results: Path, said: tuple[str, ...], *more: str) -> list[str]:
    """`vlpbench run grid demo` with these overrides."""
    words = [sys.executable, "-m", "vlpbench", "run", "grid", "demo", "--results", str(results), "--device", "cpu"]
    return [*words, *more, *(word for one in said for word in ("-S", one))]


def fill(folder: Path, cells: int) -> tuple[str, ...]:
    """Run one seed and write its records again as those of many; what the grid of all is called with."""
    ran(grid_command(folder / "one", (*TINY, "seeds=[0]")))
    models = {cell.read("settings.json")["row"]: cell for cell in cell_folders(folder / "one" / "demo")}
    said = (*TINY, f"seeds={list(range(cells // len(models)))}")
    grid, registry = open_grid("demo", said)
    plan = plan_grid(grid, registry, folder / "many")
    for cell in plan.cells:
        was, now = models[cell.row], folder_of(cell, plan.results)
        now.begin(described(cell, registry))
        for name in ("curve.jsonl", "timing.json", "environment.json", "fine_tunes.json"):
            shutil.copyfile(was.path / name, now.path / name)
        shutil.copytree(was.path / "predictions", now.path / "predictions")
        now.score_again(was.read("scores.json"), {})  # which writes the status over all files
    return said


def judged(what: str, found: list[Seconds], limit: float | None, crowded: bool) -> bool:
    """Print a line; whether its limit is kept."""
    wall, own = (statistics.median(one[clock] for one in found) for clock in (0, 1))
    kept = limit is None or (own if crowded else wall) <= limit
    verdict = "" if limit is None else f"  limit {limit:g}: {'kept' if kept else 'BROKEN'}"
    print(f"{what:44}{wall:8.2f}{own:13.2f}{verdict}", flush=True)
    return kept


def finished(folder: Path, cells: int, rounds: int) -> bool:
    """Measure looking at a finished grid."""
    said = fill(folder, cells)
    many = str(folder / "many")
    held = sum(path.stat().st_size for path in (folder / "many").rglob("*") if path.is_file())
    ran(grid_command(folder / "many", said))  # writes grid.json
    sides = {
        "plan_grid: opened, checked, code compared": ([sys.executable, "-c", PLAN, many, *said], True, LOOK),
        "results.load(...).frame": ([sys.executable, "-c", FRAME, many], True, LOAD),
        "vlpbench report table, start to table": ([*REPORT, f"{many}/demo"], False, TABLE),
        "the same in LaTeX with differences": ([*REPORT, f"{many}/demo", *DIFFERENCES], False, TABLE),
        "vlpbench run grid, start to table": (grid_command(folder / "many", said), False, None),
        "python -c 'import torch'": ([sys.executable, "-c", "import torch"], False, None),
    }
    found: dict[str, list[Seconds]] = {what: [] for what in sides}
    for _ in range(rounds):
        for what, (words, told, _limit) in sides.items():
            found[what].append(ran(words, told))
    print(f"{cells} finished cells, {held / 2**20:.0f} MiB of records; medians of {rounds} rounds; {load_now()}")
    print(f"{'':44}{'wall s':>8}{'processor s':>13}")
    kept = [judged(what, found[what], limit, is_crowded()) for what, (_, _, limit) in sides.items()]
    return all(kept)


def jobs(folder: Path, samples: int, rounds: int) -> bool:
    """Measure two jobs beside one."""
    only = ("seeds=[0, 1, 2, 3]", "floors=false", f"budget.samples={samples}")
    file = folder / "like.toml"
    file.write_text(
        'schema = 1\nname = "like"\ntasks = ["vqa", "captioning", "retrieval"]\nfloors = false\n[base]\n'
        'objective = "prefix-lm"\nbackbone = "conv3/encoder-decoder/nano"\ndata = "digits"\n[image]\nsize = 32\n'
        "[protocol.vqa]\nsamples = 1_600\n[protocol.captioning]\nsamples = 1_600\n[protocol.retrieval]\n"
        "samples = 1_600\n", encoding="utf-8",
    )

    def run(many: int, name: str) -> Seconds:
        words = grid_command(folder / name, only, "--jobs", str(many))
        words[words.index("demo")] = str(file)
        return ran(words)

    run(2, "first")  # writes the world and the tokenizer
    pairs = [(run(2, f"two-{n}"), run(1, f"one-{n}")) for n in range(rounds)]
    share = statistics.median(two[0] / one[0] for two, one in pairs)
    own = statistics.median(two[1] / one[1] for two, one in pairs)
    for many, at in ((2, 0), (1, 1)):
        judged(f"4 like cells, {many} job{'s' if many > 1 else ''}", [pair[at] for pair in pairs], None, False)
    kept = share <= SHARE
    print(f"two jobs take {share:.2f} of the time of one (limit {SHARE}: {'kept' if kept else 'BROKEN'}) and "
          f"{own:.2f} of its processor time; {rounds} rounds; {load_now()}")
    got = statistics.median(two[1] / two[0] for two, _ in pairs)
    print(f"two jobs had {got:.2f} cores at work on average, from the command's start to its table")
    if not kept and is_crowded():
        print("more processes want to run than there are cores: two jobs had no second core to themselves")
    return kept


def is_crowded() -> bool:
    """Whether others want the cores."""
    return os.getloadavg()[1] > (os.cpu_count() or 1) + 0.5


def load_now() -> str:
    """Cores, and how many processes want them."""
    return f"{os.cpu_count()} cores, {os.getloadavg()[1]:.1f} processes want to run"


def main() -> int:
    """Print all tables; exit 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["finished", "jobs"], help="only this part")
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=6400, help="of a pretraining, where jobs are compared")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    kept = []
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ADOPTS, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as temporary:
        os.environ |= {"VLPBENCH_CACHE": f"{temporary}/cache", "VLPBENCH_JAVA": "none", "OMP_NUM_THREADS": "1"}
        if asked.only in (None, "finished"):
            kept.append(finished(Path(temporary), asked.cells, asked.rounds))
        if asked.only in (None, "jobs"):
            kept.append(jobs(Path(temporary), asked.samples, asked.rounds))
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
