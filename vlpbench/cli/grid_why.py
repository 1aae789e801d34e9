"""`vlpbench grid why`: everything that is known of one cell, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from vlpbench.cli.grid_place import Place, name_of, place_of
from vlpbench.cli.options import SET
from vlpbench.cli.run_options import RESULTS
from vlpbench.cli.session import Session
from vlpbench.records import CellFolder
from vlpbench.runner.earlier import Asked
from vlpbench.runner.standing import StageStanding, Standing
from vlpbench.runner.wanted import sharers

__all__ = ["grid_why", "stage_said"]

_LAST = 10
"""Lines of the log that are shown."""


@click.command("why")
@click.argument("grid", metavar="GRID")
@click.argument("cell", metavar="CELL")
@SET
@RESULTS
@click.pass_obj
def grid_why(session: Session, grid: str, cell: str, overrides: tuple[str, ...], results: Path) -> None:
    """Say all that is known of one CELL: what it is and why, its stages, with whom it shares them, what to do next.

    CELL is an id, which may be cut short, or a row's name. GRID may be a results folder.

    \b
    vlpbench grid why my-grid.toml 98224391
    vlpbench grid why my-grid.toml prefix-lm
    """  # noqa: D301 (click reads \b)
    place = place_of(grid, overrides, results, session)
    asked = place.chosen(cell)
    for note in place.notes:
        click.echo(f"note: {note}", err=True)
    stands = place.standings(asked.id)[asked.id]
    folder = CellFolder(place.results / "cells" / asked.folder)
    click.echo(f"{place.name}: {name_of(asked)}, cell {asked.id}")
    for head, lines in _parts(place, stands, folder):
        for number, line in enumerate(lines):
            click.echo(f"{head if number == 0 else '':9} {line}".rstrip())


def _parts(place: Place, stands: Standing, folder: CellFolder) -> Iterator[tuple[str, Sequence[str]]]:
    """What is said under which head."""
    why = "not run yet as the grid is now, but as it was" if stands.earlier else stands.why
    yield "state", [stands.state + (f": {_first(why)}" if why else "")]
    if stands.earlier is not None:
        yield "earlier", [f"cells/{stands.earlier.folder}", *stands.differs]
    if stands.state in ("failed", "timeout"):
        yield from _failure(folder)
    if stands.stages:
        width = max(len(stage.label) for stage in stands.stages)
        yield "stages", [f"{one.label:{width}}  {stage_said(one):34}  {one.folder}" for one in stands.stages]
        yield from _shared(place, stands)
    yield "record", [str(folder.path) + ("" if folder.path.is_dir() else " (not there yet)")]
    yield "next", _next(place, stands)


def _first(text: str) -> str:
    return text.strip().partition("\n")[0]


def _failure(folder: CellFolder) -> Iterator[tuple[str, Sequence[str]]]:
    """What the record of a failure says beside its cause, and the end of what was printed."""
    status = folder.status()
    trace = [line for line in str(status.get("traceback", "")).splitlines() if line.strip()]
    if trace:
        where = [line.strip() for line in trace if line.lstrip().startswith('File "')]
        yield "traceback", [*where[-1:], trace[-1]]
    if status.get("remedy"):
        yield "to do", [str(status["remedy"])]
    if folder.tries() > 1:
        yield "tries", [str(folder.tries())]
    try:
        lines = (folder.path / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    if lines:
        more = f"log.txt, the last {_LAST} of {len(lines)} lines:" if len(lines) > _LAST else "log.txt:"
        yield "log", [more, *(f"| {line[:200]}" for line in lines[-_LAST:])]


def stage_said(stage: StageStanding) -> str:
    """What a run does with a stage, in a clause."""
    steps = f" of {stage.of:,}" if stage.of else ""
    if stage.doing == "running":
        assert stage.holder is not None
        return f"is run by {stage.holder.sentence()}"
    if stage.doing == "shared":
        assert stage.cell is not None
        return f"shared, {name_of(stage.cell)} comes first"
    if stage.doing == "resume":
        return f"goes on at step {stage.step:,}{steps}"
    return "there" if stage.doing == "reuse" else "to run"


def _shared(place: Place, stands: Standing) -> Iterator[tuple[str, Sequence[str]]]:
    """Which other cells of the grid refer to the same stages."""
    assert place.registry is not None
    found = sharers(place.cells, place.results, place.registry)
    lines = [
        f"{stage.label} with {_listed(others)}"
        for stage in stands.stages
        if (others := [one for one in found.get(stage.folder, []) if one.id != stands.asked.id])
    ]
    if lines:
        yield "shares", lines


def _listed(others: Sequence[Asked]) -> str:
    more = len(others) - 3
    return "; ".join(f"{name_of(one)} ({one.id})" for one in others[:3]) + (f" and {more} more" if more > 0 else "")


def _next(place: Place, stands: Standing) -> list[str]:
    """What to type."""
    said, cell = place.said, stands.asked.id
    grid = said if place.registry is not None else "GRID"
    run: Mapping[str, list[str]] = {
        "done": [f"vlpbench report table {place.results}"],
        "running": [f"vlpbench grid status {said}"],
        "skipped": ["nothing: it can't be run, and the table says why"],
        "failed": [f"vlpbench grid retry {said} {cell}", f"vlpbench run grid {grid}"],
        "timeout": [f"vlpbench grid retry {said} {cell}", f"vlpbench run grid {grid}"],
    }
    return run.get(stands.state, [f"vlpbench run grid {grid}"])
