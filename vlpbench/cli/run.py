"""`vlpbench run`: a grid, or some of its cells."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import click

from vlpbench.cli.options import SET
from vlpbench.cli.plan import NothingSelected, plan_lines
from vlpbench.cli.progress import Progress
from vlpbench.cli.report import table_text
from vlpbench.cli.run_score import score_again
from vlpbench.cli.session import Session
from vlpbench.cli.time_left import work_of
from vlpbench.grid import Cell, open_grid
from vlpbench.registry import Registry
from vlpbench.runner.cell import folder_of
from vlpbench.runner.grid_run import Plan, plan_grid, run_grid
from vlpbench.training.pace import Pace

__all__ = ["run"]

_RESULTS = click.option(
    "--results", "results", type=click.Path(path_type=Path, file_okay=False), default=Path("results"),
    show_default=True, metavar="DIR", help="Folder under which the grid gets a folder of its own name.",
)
_JOBS = click.option(
    "--jobs", type=click.IntRange(min=0), default=0, metavar="N",
    help="Cells at once; 0 is one a core on a CPU, one on a GPU. Changes no number.",
)
_WORKERS = click.option(
    "--workers", type=click.IntRange(min=0), default=0, metavar="N",
    help="Threads of each cell that make batches ahead of time: 2 or so on a GPU. Changes no number.",
)
_AT_ONCE = click.option(
    "--at-once", type=click.IntRange(min=0), default=0, metavar="N",
    help="Pictures, texts or questions asked at once while evaluating; 0 is each task's own. Changes no number.",
)
_DEVICE = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
    help="Where cells run; auto takes the GPU where there is one.",
)


@click.group()
def run() -> None:
    """Run a grid, or some of its cells."""


@run.command("grid")
@click.argument("grid", default="demo", metavar="[FILE or NAME]")
@SET
@click.option("--dry-run", is_flag=True, help="List the cells, what each would do and why some can't run; run none.")
@_RESULTS
@_JOBS
@_WORKERS
@_AT_ONCE
@click.option("--retry-failed", is_flag=True, help="Run cells again that failed before.")
@_DEVICE
@click.pass_obj
def run_a_grid(
    session: Session, /, grid: str, overrides: tuple[str, ...], dry_run: bool, results: Path, retry_failed: bool,
    **how: str | int,
) -> int:
    """Run all cells of a grid and print its table. Without a name, the built-in grid `demo`.

    What is done stays done: the same command after an interruption goes on where it stopped, and a row added to the
    file is the only one that is run.

    \b
    vlpbench run grid
    vlpbench run grid my-grid.toml --dry-run
    vlpbench run grid my-grid.toml -S optim.lr=3e-4 -S 'seeds=[0, 1, 2]'
    vlpbench -p my_objective.py run grid my-grid.toml
    """  # noqa: D301 (click reads \b)
    read, registry = open_grid(grid, overrides, session.files, session.blocked)
    plan = plan_grid(read, registry, results, retry_failed)
    if not plan.cells:
        raise NothingSelected(f"grid {read.name!r} has no cells: all are excluded", str(read.path))
    if dry_run:
        click.echo("\n".join(plan_lines(plan, registry)))
        return 0
    return _run(plan, registry, how)


@run.command("cell")
@click.argument("grid", metavar="GRID")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@SET
@_RESULTS
@_JOBS
@_WORKERS
@_AT_ONCE
@_DEVICE
@click.pass_obj
def run_some_cells(
    session: Session, /, grid: str, ids: tuple[str, ...], overrides: tuple[str, ...], results: Path, **how: str | int,
) -> int:
    """Run the named cells of a grid; failed ones again. An id may be cut short as long as it is the only one.

    \b
    vlpbench run grid demo --dry-run      shows the ids
    vlpbench run cell demo 98224391dd64
    """  # noqa: D301 (click reads \b)
    read, registry = open_grid(grid, overrides, session.files, session.blocked)
    plan = plan_grid(read, registry, results, retry_failed=True)
    wanted = _full(ids, plan)
    fates = {one: "failed" if what == "run" and one not in wanted else what for one, what in plan.fates.items()}
    return _run(dataclasses.replace(plan, fates=fates), registry, how, wanted)


run.add_command(score_again)


def _full(ids: Sequence[str], plan: Plan) -> set[str]:
    """The whole ids that shortened ones mean."""
    found = set()
    for said in ids:
        match = [cell.id for cell in plan.cells if cell.id.startswith(said)]
        if len(match) != 1:
            many = f"{len(match)} cells begin with" if match else "there is no cell"
            raise NothingSelected(f"{many} {said!r}", "", f"vlpbench run grid {plan.grid.path} --dry-run lists the ids")
        found.update(match)
    return found


def _run(plan: Plan, registry: Registry, how: dict[str, str | int], wanted: Collection[str] = ()) -> int:
    """Run what a plan says, print the table; the exit code says whether a cell (of those wanted) failed."""
    chosen = [cell for cell in plan.cells if not wanted or cell.id in wanted]
    names = {cell.id: f"{cell.row}, seed {cell.seed}" for cell in chosen}
    pace = Pace(int(how["workers"]), int(how["at_once"]))
    progress = Progress(names, work_of(plan, [*names]))
    run_grid(plan, registry, str(how["device"]), int(how["jobs"]), pace, progress.heard)
    ends = Counter(_end(cell, plan) for cell in chosen)
    progress.close(ends, plan.results)
    click.echo(table_text((plan.results,)))
    return 0 if set(ends) <= {"done", "can't run"} else 1


def _end(cell: Cell, plan: Plan) -> str:
    return "can't run" if cell.reason else folder_of(cell, plan.results).state()
