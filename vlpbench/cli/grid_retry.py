"""`vlpbench grid retry`: failures forgotten, so that the next run runs these cells again."""

from __future__ import annotations

from pathlib import Path

import click

from vlpbench.cli.grid_place import Place, name_of, place_of
from vlpbench.cli.grid_status import one_line
from vlpbench.cli.options import SET
from vlpbench.cli.plan import NothingSelected
from vlpbench.cli.run_options import RESULTS
from vlpbench.cli.session import Session
from vlpbench.records import CellFolder
from vlpbench.runner.standing import Standing

__all__ = ["grid_retry"]

_AGAIN = ("failed", "timeout", "damaged")


@click.command("retry")
@click.argument("grid", metavar="GRID")
@click.argument("wanted", nargs=-1, metavar="[CELL...]")
@SET
@RESULTS
@click.pass_obj
def grid_retry(
    session: Session, grid: str, wanted: tuple[str, ...], overrides: tuple[str, ...], results: Path
) -> None:
    """Forget failures: the next run runs these cells again, from their last checkpoints.

    Without a CELL, all that failed or ran out of time. CELL is an id, which may be cut short, or a row's name; GRID may
    be a results folder. What is done stays done.

    \b
    vlpbench grid retry my-grid.toml
    vlpbench grid retry my-grid.toml 98224391 && vlpbench run grid my-grid.toml
    """  # noqa: D301 (click reads \b)
    place = place_of(grid, overrides, results, session)
    stands = place.states()
    named = [stands[place.chosen(one).id] for one in wanted]
    chosen = named or [one for one in stands.values() if one.state in ("failed", "timeout")]
    if not chosen:
        click.echo(f"{place.name}: no cell has failed or run out of time; nothing is forgotten")
        return
    forgotten = [one for one in dict.fromkeys(one.asked.id for one in chosen) if _forget(place, stands[one])]
    if not forgotten:
        raise NothingSelected("nothing was forgotten", "", f"vlpbench grid status {place.said} shows what each cell is")
    many = len(forgotten)
    again = f"vlpbench run grid {place.said}" if place.registry is not None else "the next run of the grid"
    click.echo(f"{again} runs {'it' if many == 1 else f'these {many}'} again")


def _forget(place: Place, stands: Standing) -> bool:
    """Forget one failure and say so; whether there was one, and nobody runs the cell."""
    asked, name = stands.asked, f"{stands.asked.id}  {name_of(stands.asked)}"
    if stands.state not in _AGAIN:
        told = {
            "done": "is done, and stays so", "running": f"runs now: {stands.why}",
            "skipped": f"can't run: {stands.why}",
        }
        click.echo(f"{name}: {told.get(stands.state, 'has not been run: there is nothing to forget')}")
        return False
    claim = place.claims.take(asked.claim)
    if claim is None:
        click.echo(f"{name}: somebody has begun to run it; left alone")
        return False
    with claim:
        CellFolder(place.results / "cells" / asked.folder).forget()
    click.echo(f"{name}: forgotten that it {_was(stands)}")
    return True


def _was(stands: Standing) -> str:
    word = {"failed": "failed", "timeout": "ran out of time", "damaged": "was damaged"}[stands.state]
    return f"{word}: {one_line(stands.why, 100)}" if stands.why else word
