"""The bare demo, measured: seconds to its first line and to its table, memory of each process, and what it shows.

usage: python benchmarks/demo.py [SEEDS] [RESULTS]

Runs `vlpbench run grid` with an empty cache, as after a fresh install; SEEDS other than 2 is said with -S. With RESULTS
(a folder that such a run has left) nothing is run, and only what the table shows is judged.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil

from vlpbench.results import load

SECONDS, FIRST_LINE, BYTES = 360.0, 10.0, 4 << 30
"""Most seconds to the table (two seeds on two cores), most to the first line, most memory of a process."""
NONE, PREFIX, CONTRASTIVE, BLIND = "none", "prefix-lm", "contrastive", "prefix-lm, blind"
MARGINS = (
    ("vqa", "accuracy", PREFIX, NONE, 10.0),
    ("vqa", "accuracy", PREFIX, BLIND, 25.0),
    ("vqa", "accuracy", CONTRASTIVE, NONE, 0.0),
    ("retrieval", "TR@1", PREFIX, NONE, 15.0),
    ("retrieval", "IR@1", PREFIX, NONE, 15.0),
    ("retrieval", "TR@1", CONTRASTIVE, NONE, 15.0),
    ("retrieval", "IR@1", CONTRASTIVE, NONE, 15.0),
)
"""Task, metric, row, the row below it, and by how many points at least, for each seed."""


class Peaks(threading.Thread):
    """Looks at a process and its children five times a second and keeps the most memory that each has held."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.held, self.over = psutil.Process(process), {}, threading.Event()

    def run(self) -> None:
        """Look until `over` is set."""
        while not self.over.wait(0.2):
            for one in self._family():
                try:
                    self.held[one.pid] = max(self.held.get(one.pid, 0), one.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue

    def _family(self) -> list[psutil.Process]:
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def run(seeds: int, folder: Path) -> tuple[float, float, list[int], int]:
    """Seconds to the first line and to the end, peak bytes of each process, exit code; what it says is passed on."""
    said = [] if seeds == 2 else ["-S", f"seeds={list(range(seeds))}"]
    words = [sys.executable, "-m", "vlpbench", "run", "grid", "--results", str(folder), *said]
    start = time.perf_counter()
    environment = {**os.environ, "VLPBENCH_CACHE": str(folder / "cache")}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as process:
        peaks = Peaks(process.pid)
        peaks.start()
        assert process.stderr is not None
        first = None
        for line in process.stderr:
            first = first or time.perf_counter() - start
            print(line, end="", file=sys.stderr, flush=True)
        code = process.wait()
    seconds = time.perf_counter() - start
    peaks.over.set()
    peaks.join()
    return first or seconds, seconds, sorted(peaks.held.values(), reverse=True), code


def scores(results: Path) -> pd.DataFrame:
    """One line a row and seed, one column a task and metric."""
    frame = load(results).frame
    return frame.pivot_table(index=["row", "seed"], columns=["task", "metric"], values="value")


def margins(found: pd.DataFrame) -> Iterator[tuple[str, float, float, bool]]:
    """What is compared, its mean margin over seeds, its least, and whether that is enough."""
    for task, metric, row, below, least in MARGINS:
        values = found[task, metric]
        gains = values.loc[row] - values.loc[below]
        enough = bool((gains > least).all() if least == 0 else (gains >= least).all())
        yield f"{task} {metric}: {row} above {below} by {least:.0f} or more", gains.mean(), gains.min(), enough


def judged(what: str, value: str, kept: bool) -> bool:
    """Print one line of the verdict."""
    print(f"  {what:62}{value:>24}  {'kept' if kept else 'BROKEN'}")
    return kept


def main() -> int:
    """Print the measurements; exit 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", type=int, nargs="?", default=2, metavar="SEEDS", help="of each row (2)")
    parser.add_argument("results", type=Path, nargs="?", metavar="RESULTS", help="of a run that there was")
    asked = parser.parse_args()
    seeds = asked.seeds
    with tempfile.TemporaryDirectory() as temporary:
        folder, kept = asked.results or Path(temporary), []
        if asked.results is None:
            first, seconds, peaks, code = run(seeds, folder)
            busy = os.getloadavg()[1]
            print(f"\n{seeds} seeds on {os.cpu_count()} cores, {busy:.1f} of them wanted on average; exit code {code}")
            allowed = SECONDS * max(2, seeds) / 2  # each seed more takes as long again
            kept.append(judged(f"first line within {FIRST_LINE:.0f} s", f"{first:.1f} s", first <= FIRST_LINE))
            kept.append(judged(f"table within {allowed:.0f} s", f"{seconds:.0f} s", seconds <= allowed))
            most = ", ".join(f"{held / 2**30:.2f}" for held in peaks[:4])
            kept.append(judged("memory of a process under 4 GiB", f"{most} GiB", peaks[0] < BYTES))
        grid = next(path.parent for path in [*folder.glob("grid.json"), *folder.glob("*/grid.json")])
        found = scores(grid)
        print(found[[("vqa", "accuracy"), ("retrieval", "TR@1"), ("retrieval", "IR@1")]].round(1).to_string())
        for what, mean, least, enough in margins(found):
            kept.append(judged(what, f"mean {mean:.1f}, least {least:.1f}", enough))
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
