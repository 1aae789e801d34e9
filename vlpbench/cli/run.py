"""`vlpbench run`: a grid, or some of its cells."""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from vlpbench.cli.options import SET
from vlpbench.cli.plan import NothingSelected, plan_lines
from vlpbench.cli.plan_groups import group_lines
from vlpbench.cli.progress import Progress
from vlpbench.cli.report_table import table_text
from vlpbench.cli.run_estimate import estimate, in_seconds, tell_estimate
from vlpbench.cli.run_options import ON_CODE_CHANGE, RESULTS, how_cells_run, how_many_run, rules_of
from vlpbench.cli.run_score import score_again
from vlpbench.cli.session import Session
from vlpbench.cli.time_left import work_of
from vlpbench.config.gridfile import GridFile
from vlpbench.device import Device
from vlpbench.grid import Cell, open_grid
from vlpbench.registry import Registry
from vlpbench.runner.cell import folder_of
from vlpbench.runner.folding import groups
from vlpbench.runner.following import Opening, follow
from vlpbench.runner.grid_run import begin, hand_over, place_of, prepare, run_grid
from vlpbench.runner.here import run_here
from vlpbench.runner.launchers.printing import Call
from vlpbench.runner.plan import OnCodeChange, Plan, plan_grid
from vlpbench.runner.provenance import provenance
from vlpbench.runner.ranks import Crew
from vlpbench.runner.rules import Rules
from vlpbench.runner.torchrun import refuse_processes, started_together

__all__ = ["run"]


@click.group()
def run() -> None:
    """Run a grid, or some of its cells."""


@run.command("grid")
@click.argument("grid", default="demo", metavar="[FILE or NAME]")
@SET
@click.option("--dry-run", is_flag=True, help="List the cells, what each would do and why some can't run; run none.")
@click.option("--estimate", is_flag=True, help="Try a few steps of each kind of cell; say time, memory and disk.")
@click.option("--print-commands", is_flag=True, help="Print a command line a cell, for a queue of your own; run none.")
@RESULTS
@click.option("--retry-failed", is_flag=True, help="Run cells again that failed before.")
@ON_CODE_CHANGE
@how_many_run
@click.pass_obj
def run_a_grid(
    session: Session, /, grid: str, overrides: tuple[str, ...], results: Path, retry_failed: bool,
    on_code_change: OnCodeChange, **how: Any,
) -> int:
    """Run all cells of a grid and print its table. Without a name, the built-in grid `demo`.

    What is done stays done: the same command after an interruption goes on where it stopped, and a row added to the
    file is the only one that is run. Ctrl-C once lets cells finish their step and write a checkpoint, twice ends them.

    \b
    vlpbench run grid
    vlpbench run grid my-grid.toml --dry-run
    vlpbench run grid my-grid.toml --estimate
    vlpbench run grid my-grid.toml -S optim.lr=3e-4 -S 'seeds=[0, 1, 2]'
    vlpbench -p my_objective.py run grid my-grid.toml --timeout 2h --retries 1
    """  # noqa: D301 (click reads \b)
    refuse_processes()
    only = {name: how.pop(name) for name in ("dry_run", "estimate", "print_commands")}
    read, registry = open_grid(grid, overrides, session.files, session.blocked)
    plan = plan_grid(read, registry, results, retry_failed, on_code_change)
    if not plan.cells:
        raise NothingSelected(f"grid {read.name!r} has no cells: all are excluded", str(read.path))
    rules = rules_of(**how)
    if only["dry_run"]:
        *lines, total = plan_lines(plan, registry, overrides)
        click.echo("\n".join([*lines, *group_lines(plan, registry, rules), total]))
        return 0
    # Names, not VLPBENCH_PLUGINS: what is printed or queued may run where the variable is not set.
    left_out = tuple(one.name for one in registry.left_out)
    call = Call(grid, results, overrides, session.files, left_out, _options(how))
    if only["print_commands"]:
        rules = dataclasses.replace(rules, launcher="print")
    if not registry.launcher(rules.launcher).runs:
        hand_over(plan, registry, rules, call)
        return 0
    with _progress(plan, plan.cells, registry, place_of(Device.choose(rules.device), rules).slots) as progress:
        if only["estimate"]:
            estimate(plan, registry, rules, progress)
            return 0
        run_grid(plan, registry, rules, call, _provenance(plan, registry), progress.heard)
        return _told(plan, progress)


@run.command("cell")
@click.argument("grid", metavar="GRID")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@SET
@RESULTS
@ON_CODE_CHANGE
@how_cells_run
@click.pass_obj
def run_some_cells(
    session: Session, /, grid: str, ids: tuple[str, ...], overrides: tuple[str, ...], results: Path,
    on_code_change: OnCodeChange, **how: Any,
) -> int:
    """Run the named cells of a grid in this process, one after the other; failed ones again.

    An id may be cut short as long as it is the only one. How each ended is printed, with its folder. This is what
    `run grid` has done for each of its cells, and what a queue of your own would do. Seeds of one row train as one
    model on a GPU, or with --pack. Under torchrun the processes share each cell: one process a GPU, the same batches,
    the same record.

    \b
    vlpbench run grid demo --dry-run           shows the ids
    vlpbench run cell demo 98224391dd64
    vlpbench run grid demo --print-commands    a line a cell
    torchrun --nproc-per-node 8 -m vlpbench run cell demo 98224391dd64
    """  # noqa: D301 (click reads \b)

    def opened() -> tuple[GridFile, Registry]:
        return open_grid(grid, overrides, session.files, session.blocked)

    rules = rules_of(**how)
    if started_together() == 1:
        return _run_chosen(ids, results, on_code_change, rules, opened)
    with Crew(Device.choose(rules.device)) as crew:
        if crew.rank == 0:
            return _run_chosen(ids, results, on_code_change, rules, opened, crew)
        follow(crew, rules.pace, results, opened)
        return 0


def _run_chosen(
    ids: Sequence[str], results: Path, on_code_change: OnCodeChange, rules: Rules, opened: Opening,
    crew: Crew | None = None,
) -> int:
    """Run these cells, alone or as the first process of several; the exit code."""
    read, registry = opened()
    plan = plan_grid(read, registry, results, True, on_code_change)
    wanted = _full(ids, plan)
    chosen = [cell for cell in plan.cells if cell.id in wanted]
    plan = plan.only(wanted)
    with _progress(plan, chosen, registry, 1) as progress:
        begin(plan, progress.heard)
        _run_here(plan, registry, rules, progress, crew)
        ends = _ends(chosen, plan)
        progress.close(ends, plan.results)
    for cell in chosen:
        click.echo(f"{_end(cell, plan):9}  {folder_of(cell, plan.results).path}")
    return _code(ends)


run.add_command(score_again)


def _run_here(plan: Plan, registry: Registry, rules: Rules, progress: Progress, crew: Crew | None) -> None:
    waiting = plan.chosen("run")
    if not waiting:
        return
    device, come_from = Device.choose(rules.device), _provenance(plan, registry)
    prepare(waiting, registry, device, progress.heard)
    if crew is None:
        place = place_of(device, rules)
        place = dataclasses.replace(place, devices=place.devices[:1])  # this process has one
        found = [group.cells for group in groups(waiting, plan.results, registry, rules, place)]
        run_here(found, plan.results, registry, rules, come_from, progress.heard)
        return
    for cell in waiting:  # one after the other: all processes are at the same one
        called = dataclasses.replace(rules, pace=dataclasses.replace(rules.pace, joined=crew.calling(cell)))
        told = {**come_from, "processes": str(crew.many)}
        run_here([[cell]], plan.results, registry, called, told, progress.heard)


def _options(how: Mapping[str, Any]) -> list[str]:
    """The options of `run cell` that were given to `run grid`, as they are typed."""
    said = {"device": "--device", "workers": "--workers", "at_once": "--at-once", "every": "--checkpoint-every",
            "compiled": "--compile", "resident": "--resident"}
    flags = {"recompute": "--recompute", "sharded": "--shard"}
    given = [word for name, option in said.items() if how[name] not in (0, "auto") for word in (option, f"{how[name]}")]
    pack = {None: [], True: ["--pack"], False: ["--no-pack"]}[how["pack"]]
    return given + [flag for name, flag in flags.items() if how[name]] + pack


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


def _provenance(plan: Plan, registry: Registry) -> dict[str, Any]:
    return provenance(["vlpbench", *sys.argv[1:]], plan.grid.path, registry)


def _progress(plan: Plan, cells: Collection[Cell], registry: Registry, jobs: int) -> Progress:
    names = {cell.id: f"{cell.row}, seed {cell.seed}" for cell in cells}
    return Progress(names, in_seconds(work_of(plan, [*names], registry), plan.results), jobs)


def _told(plan: Plan, progress: Progress) -> int:
    """Say how cells ended, and print the table; the exit code says whether one is not done."""
    ends = _ends(plan.cells, plan)
    progress.close(ends, plan.results)
    tell_estimate(plan)
    click.echo(table_text((plan.results,)))
    return _code(ends)


def _ends(cells: Collection[Cell], plan: Plan) -> Counter[str]:
    return Counter(_end(cell, plan) for cell in cells)


def _end(cell: Cell, plan: Plan) -> str:
    return "can't run" if cell.reason else folder_of(cell, plan.results).state()


def _code(ends: Mapping[str, int]) -> int:
    return 0 if set(ends) <= {"done", "can't run"} else 1
