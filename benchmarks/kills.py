"""Blows at random moments of a small grid: in the end every byte is an undisturbed run's.

usage: python benchmarks/kills.py [--moments 100] [--seed 0] [--grid FILE] [--folder DIR]

The grid (kills.toml, or FILE) is run once undisturbed. Then it is run again and again in another folder, and at random
moments a blow falls: kill -9 of the runner, of one worker, of all workers, of the fork server, of all of them at once;
Ctrl-C once or twice, SIGTERM; the runner or a worker stopped for a second (SIGSTOP, SIGCONT). A run that ends is
compared, and another begins with nothing. After the last blow the grid is run until it is done. Compared are the
printed table and all files of cells and stages but run facts; no claim, no checkpoint, no half-written file and no
process may be left. Prints each blow, then the counts, then what differs; exit 1 if anything does. 100 moments take
about half an hour on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")

RUN_FACTS = ("timing.json", "environment.json", "run.json", "log.txt")
"""Files that differ from run to run."""
MARK = "VLPBENCH_KILLS"
"""A variable that all processes of one run inherit."""
GRID = Path(__file__).with_suffix(".toml")
"""The grid that is run if no other is named."""


@dataclass
class Ground:
    """Where a grid is run, and what its runs leave there."""

    grid: Path
    """The grid file."""
    folder: Path
    """Where runs are started; results are below."""
    options: tuple[str, ...] = ("--jobs", "2", "--checkpoint-every", "0.05", "--device", "cpu", "--retry-failed")
    mark: str = field(default_factory=lambda: f"{time.monotonic_ns()}")

    @property
    def results(self) -> Path:
        """All its results."""
        return self.folder / "results"

    def start(self) -> subprocess.Popen[str]:
        """Start a run, in a session of its own."""
        self.folder.mkdir(parents=True, exist_ok=True)
        line = [sys.executable, "-m", "vlpbench", "run", "grid", str(self.grid), "--results", "results"]
        environment = {**os.environ, MARK: self.mark, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        with (self.folder / "told.txt").open("a") as told:
            return subprocess.Popen([*line, *self.options], cwd=self.folder, stdout=subprocess.PIPE, stderr=told,
                                    text=True, env=environment, start_new_session=True)

    def files(self) -> dict[str, str]:
        """Each file that must be equal, with its hash; and all that should not be there any more, by its name."""
        found = {}
        for path in sorted(self.results.rglob("*")):
            name = path.relative_to(self.results).as_posix()
            if path.is_file() and path.name not in RUN_FACTS:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif path.name in ("checkpoint", "claims") and (path.name == "checkpoint" or any(path.iterdir())):
                found[name] = "a folder that is left"
        return found

    def waste(self) -> list[str]:
        """Names of claims, checkpoints and half-written files."""
        return [name for name in self.files() if re.search(r"(^|/)(\.|claims|checkpoint)", name)]


def _asked(ask: Callable[[], T], nothing: T) -> T:
    """What a process says of itself; `nothing` where it is gone, or another's."""
    try:
        return ask()
    except psutil.Error:
        return nothing


def table_of(out: str) -> str:
    """The printed tables without the column of seconds."""
    kept: list[str] = []
    column: int | None = None
    for line in out.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if "seconds a cell" in cells:
            column = cells.index("seconds a cell")
        elif len(cells) == 1:
            column = None
        kept.append("|".join(cell for at, cell in enumerate(cells) if at != column))
    return "\n".join(line for line in kept if not set(line) <= set("|:- "))


def workers_of(run: int) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """The fork server of a runner, and its children."""
    below = _asked(lambda: psutil.Process(run).children(recursive=True), list[psutil.Process]())
    servers = [one for one in below if any("forkserver" in word for word in _asked(one.cmdline, list[str]()))]
    servers = [one for one in servers if _asked(one.ppid, 0) == run]
    return servers, [one for one in below if _asked(one.ppid, 0) in {server.pid for server in servers}]


def _send(number: int, processes: list[psutil.Process]) -> bool:
    for one in processes:
        _asked(lambda one=one: one.send_signal(number), None)  # type: ignore[misc]
    return bool(processes)


def blows(chance: random.Random) -> Mapping[str, Callable[[psutil.Process], bool]]:
    """Name -> what is done to a runner; whether there was anything to hit."""

    def one(run: psutil.Process) -> list[psutil.Process]:
        there = workers_of(run.pid)[1]
        return [chance.choice(there)] if there else []

    def two(first: int, second: int, to: list[psutil.Process], apart: float) -> bool:
        _send(first, to)
        time.sleep(apart)
        return _send(second, to)

    kill, term, ctrl_c, pause, go_on = signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGCONT
    return {
        "runner": lambda run: _send(kill, [run]),
        "worker": lambda run: _send(kill, one(run)),
        "all workers": lambda run: _send(kill, workers_of(run.pid)[1]),
        "fork server": lambda run: _send(kill, workers_of(run.pid)[0]),
        "all": lambda run: _send(kill, [run, *itertools.chain(*workers_of(run.pid))]),
        "Ctrl-C": lambda run: _send(ctrl_c, [run]),
        "Ctrl-C twice": lambda run: two(ctrl_c, ctrl_c, [run], chance.random()),
        "SIGTERM": lambda run: _send(term, [run]),
        "SIGTERM of a worker": lambda run: _send(term, one(run)),
        "runner paused": lambda run: two(pause, go_on, [run], 1),
        "worker paused": lambda run: two(pause, go_on, one(run), 1),
    }


ENDS = ("runner", "all", "Ctrl-C", "Ctrl-C twice", "SIGTERM")
"""Blows after which the runner is gone, or will be."""
FINE = (0, 1, 130, 143, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)
"""Exit codes that they may leave: a run may also have ended just before."""


def moment(chance: random.Random, run: subprocess.Popen[str]) -> None:
    """Wait for a random moment: one in six is at the very start, the others are while cells run; or for its end."""
    if chance.random() < 1 / 6:
        time.sleep(chance.uniform(0, 3))
        return
    while run.poll() is None and not workers_of(run.pid)[1]:
        time.sleep(0.05)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(chance.expovariate(1 / 3))


def beaten(
    ground: Ground, want: Ground, table: str, names: Iterable[str], chance: random.Random
) -> tuple[Counter[str], list[str]]:
    """Let these blows fall one after the other; how many of each kind did, and what was wrong."""
    dealt, wrong, run, choice = Counter[str](), list[str](), ground.start(), blows(chance)
    for name in names:
        while not wrong:
            moment(chance, run)
            if run.poll() is not None:
                wrong += compared(ground, want, table, run)
                shutil.rmtree(ground.results, ignore_errors=True)
                run = ground.start()
            elif choice[name](psutil.Process(run.pid)):
                dealt[name] += 1
                print(f"{dealt.total():4} {name}", flush=True)
                break
        if name in ENDS and not wrong:
            wrong += _ended(run, name)
            time.sleep(chance.choice([0, 0, chance.uniform(0, 2)]))
            run = ground.start()
    return dealt, wrong or compared(ground, want, table, run)


def _ended(run: subprocess.Popen[str], name: str) -> list[str]:
    """What is wrong with how a run ended; its cells may go on for a moment."""
    try:
        code = run.wait(timeout=120)
    except subprocess.TimeoutExpired:
        return [f"the runner did not end after {name!r}"]
    assert run.stdout is not None
    run.stdout.close()
    return [] if code in FINE else [f"exit code {code} after {name!r}"]


def compared(ground: Ground, want: Ground, table: str, run: subprocess.Popen[str]) -> list[str]:
    """What is wrong with a run that was left to end."""
    out = run.communicate(timeout=900)[0]
    if run.returncode == 1:  # a cell that was killed more often than is forgiven has failed: it is tried again
        run = ground.start()
        out = run.communicate(timeout=900)[0]
    if run.returncode:
        return [f"exit code {run.returncode}"]
    mine, theirs = ground.files(), want.files()
    wrong = [f"{name} differs" for name in sorted(mine.keys() | theirs.keys()) if mine.get(name) != theirs.get(name)]
    if table_of(out) != table:
        wrong.append("the table differs")
    time.sleep(1)
    left = [one for one in psutil.process_iter() if _asked(one.environ, dict[str, str]()).get(MARK) == ground.mark]
    return wrong + [f"left: {' '.join(_asked(one.cmdline, list[str]()))[:80]}" for one in left]


def main() -> int:
    """Print blows, counts and differences; exit 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grid", type=Path, default=GRID)
    parser.add_argument("--folder", type=Path, help="kept afterwards; by default a temporary one that goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder.absolute() if given.folder else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in the background deaf to it
        os.environ.setdefault("VLPBENCH_CACHE", str(folder / "cache"))
        want, ground = (Ground(given.grid.absolute(), folder / name) for name in ("want", "beaten"))
        start = time.monotonic()
        run = want.start()
        table = table_of(run.communicate()[0])
        if run.returncode or want.waste():
            print(f"undisturbed, and yet: exit code {run.returncode}, left behind: {want.waste()}")
            return 1
        print(f"undisturbed: {time.monotonic() - start:.0f} s, {len(want.files())} files", flush=True)
        chance = random.Random(given.seed)
        names = chance.choices(list(blows(chance)), k=given.moments)
        dealt, wrong = beaten(ground, want, table, names, chance)
    print(f"{dealt.total()} blows: " + ", ".join(f"{count} {name}" for name, count in sorted(dealt.items()) if count))
    print("\n".join(wrong) or "nothing differs, nothing is left")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
