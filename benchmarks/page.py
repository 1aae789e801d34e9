"""What `vlpbench report html` takes from 100 cells, and how large its file is.

usage: python benchmarks/page.py [--cells 100] [--results FOLDER]

The records of a demo (one seed, a training of 100 steps; or those of a finished grid that is named) are written again
as those of other seeds until there are that many cells, so that nothing but the seeds is untrue. Measured, from the
command's start to its end: the page with its gallery, the pictures of its world on disk, and without. Seconds of the
wall, and of processors; where more processes want to run than there are cores, the limit is held against the latter.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vlpbench.files import write_json
from vlpbench.records import CellFolder, cell_folders

SECONDS, LARGE, SMALL = 30.0, 20e6, 2e6
"""Limits: of the time, of the page with a gallery, of the page without, in bytes."""
DEMO = ("budget.samples=6400", "protocol.vqa.samples=640", "protocol.captioning.samples=640",
        "protocol.retrieval.samples=640", "seeds=[0]")


def fill(source: Path, results: Path, cells: int) -> int:
    """Write the records of all cells of `source` again until there are `cells` of them; how many there are."""
    was = [one for one in cell_folders(source) if one.state() == "done"]
    order = json.loads((source / "grid.json").read_text(encoding="utf-8")) | {"cells": {}}
    for at in range(cells):
        old = was[at % len(was)]
        asked = old.read("settings.json")
        seed, cell = asked["seed"] + 100 * (at // len(was)), f"{at:012x}"
        now = CellFolder.of(results, cell, asked["row"], f"s{seed}")
        now.begin(asked | {"seed": seed, "id": cell, "settings": asked["settings"] | {"seed": seed}})
        for path in old.path.iterdir():
            if path.name not in ("settings.json", "status.json", "log.txt"):
                (shutil.copytree if path.is_dir() else shutil.copyfile)(path, now.path / path.name)
        now.score_again(old.read("scores.json"), {})  # which writes the status over all files
        order["cells"][cell] = {"row": asked["row"], "seed": seed, "reason": None}
    write_json(results / "grid.json", order)
    return len(order["cells"])


def measured(results: Path, *more: str) -> tuple[float, float, int]:
    """Seconds of the wall, of processors, and bytes of a page."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = [sys.executable, "-m", "vlpbench", "report", "html", str(results), "--out", f"{results}.html", *more]
    subprocess.run(words, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, own, Path(f"{results}.html").stat().st_size


def is_kept(what: str, found: tuple[float, float, int], most: float) -> bool:
    """Print a line; whether its limits are kept."""
    wall, own, size = found
    crowded = os.getloadavg()[0] > (os.cpu_count() or 1) + 0.5
    kept = (own if crowded else wall) <= SECONDS and size <= most
    print(f"{what:20}{wall:8.1f} s{own:8.1f} s{size / 1e6:8.2f} MB  limits {SECONDS:g} s, {most / 1e6:g} MB: "
          f"{'kept' if kept else 'BROKEN'}{' (processor time: crowded)' if crowded else ''}", flush=True)
    return kept


def main() -> int:
    """Print a line a page; exit 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--results", type=Path, help="finished records to multiply; by default a demo is run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, source = Path(temporary), asked.results
        os.environ |= {"VLPBENCH_JAVA": "none", "OMP_NUM_THREADS": "1"}
        if source is None:
            os.environ["VLPBENCH_CACHE"] = f"{temporary}/cache"
            words = [sys.executable, "-m", "vlpbench", "run", "grid", "demo", "--results", f"{temporary}/one"]
            said = [word for one in DEMO for word in ("-S", one)]
            subprocess.run([*words, "--device", "cpu", *said], check=True, capture_output=True)
            source = folder / "one" / "demo"
        cells = fill(source, folder / "many", asked.cells)
        print(f"{cells} cells{'':12}    wall processors     size; {os.cpu_count()} cores")
        kept = [is_kept("with a gallery", measured(folder / "many"), LARGE),
                is_kept("--no-gallery", measured(folder / "many", "--no-gallery"), SMALL)]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
