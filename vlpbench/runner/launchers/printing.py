"""The commands that run a grid, one a cell or a group of them, for any queue: nothing is run here."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vlpbench.contract.launcher import Job, Launcher, Started
from vlpbench.grid import Cell

__all__ = ["Call", "Printing", "command_of", "line_of", "makers_first"]

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """What a person said to run a grid, as far as each of its cells must be told."""

    grid: str
    """The grid's file or name, as it was typed."""
    results: Path
    """The folder under which the grid has its own."""
    overrides: Sequence[str] = ()
    """`-S`, each as it was typed."""
    files: Sequence[Path] = ()
    """`-p`."""
    blocked: Sequence[str] = ()
    """`--no-plugin`."""
    options: Sequence[str] = ()
    """Further options of `run cell`, such as "--device", "cuda"."""


def command_of(cells: Sequence[Cell], call: Call) -> tuple[str, ...]:
    """What a person would type to run these cells in one process."""
    before = [word for file in call.files for word in ("-p", os.fspath(file))]
    before += [word for name in call.blocked for word in ("--no-plugin", name)]
    after = [word for one in call.overrides for word in ("-S", one)]
    ids, results = [cell.id for cell in cells], ("--results", os.fspath(call.results))
    return (*_program(), *before, "run", "cell", call.grid, *ids, *results, *after, *call.options)


def _program() -> tuple[str, ...]:
    """This vlpbench by its name, where the shell finds the very one, else by its interpreter."""
    ours, found = Path(sys.executable).with_name("vlpbench"), shutil.which("vlpbench")
    if found is not None and ours.exists() and Path(found).samefile(ours):
        return ("vlpbench",)
    return (sys.executable, "-m", "vlpbench")


def makers_first(jobs: Iterable[T], stages: Callable[[T], Iterable[Hashable]]) -> list[T]:
    """Cells, or groups, that are the first to need one of their `stages` before those that find all of theirs made.

    Else in the order given. Run in this order, many at once, the fewest wait for a stage that another makes.
    """
    makers: list[T] = []
    readers: list[T] = []
    seen: set[Hashable] = set()
    for job in jobs:
        needed = set(stages(job))
        (readers if needed and needed <= seen else makers).append(job)
        seen |= needed
    return [*makers, *readers]


def line_of(job: Job) -> str:
    """The line for a shell: the command, behind the variables that it needs and this process does not have."""
    new = [f"{name}={value}" for name, value in job.environment.items() if os.environ.get(name) != value]
    return shlex.join(["env", *new, *job.command] if new else job.command)


class Printing(Launcher):
    """Prints the command of each job instead of running it."""

    name = "print"
    runs = False

    def start(self, job: Job, slot: int) -> Started:
        """Print a job's line."""
        sys.stdout.write(line_of(job) + "\n")
        sys.stdout.flush()
        return _Printed()


class _Printed(Started):
    """A job that somebody else will run."""

    def ended(self) -> int:
        return 0

    def stop(self) -> None:
        return

    def kill(self) -> None:
        return
