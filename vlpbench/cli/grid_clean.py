"""`vlpbench grid clean`: what a grid has no use for in its results, listed; removed only with --yes."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import click

from vlpbench.cli.grid_place import Place, place_of
from vlpbench.cli.grid_waste import waste
from vlpbench.cli.options import SET
from vlpbench.cli.run_options import RESULTS
from vlpbench.cli.session import Session
from vlpbench.cli.sizes import size
from vlpbench.errors import UserError
from vlpbench.runner.orphans import KINDS, Orphan, remove
from vlpbench.runner.wanted import Wanted

__all__ = ["grid_clean"]


@click.command("clean")
@click.argument("grid", metavar="GRID or RESULTS")
@SET
@RESULTS
@click.option("--yes", is_flag=True, help="Remove what is listed.")
@click.pass_obj
def grid_clean(session: Session, grid: str, overrides: tuple[str, ...], results: Path, yes: bool) -> int:
    """List what a grid has no use for in its results: records of other settings, stages, checkpoints, dead claims.

    Nothing is removed without --yes; nothing that somebody uses now, that lies outside the results, or that vlpbench
    has not written, is removed at all. Which stages are of use only the grid itself tells, not its results folder.

    \b
    vlpbench grid clean my-grid.toml
    vlpbench grid clean my-grid.toml --yes
    """  # noqa: D301 (click reads \b)
    place = place_of(grid, overrides, results, session)
    if not (place.results / "grid.json").is_file():
        raise UserError(f"{place.results} has no grid.json, so it is not known what belongs to the grid",
                        str(place.results), "run the grid once")
    found, wanted = waste(place)
    for note in place.notes:
        click.echo(f"note: {note}", err=True)
    for kind, group in groupby(found, key=lambda one: one.kind):
        _list(KINDS[kind], [*group], place)
    if wanted.stages is None:
        click.echo(f"stages are not looked at: {_unknown(place, wanted)}")
    if not found:
        click.echo(f"{place.name}: nothing to clean; results in {place.results}")
        return 0
    loose = [one for one in found if not one.kept]
    return _clean(loose, place) if yes else _ask(loose)


def _unknown(place: Place, wanted: Wanted) -> str:
    if place.registry is None:
        return "which are of use only the grid itself tells (vlpbench grid clean GRID)"
    if not set(wanted.last) <= set(wanted.records):
        return "the last run asked for other cells than the grid has now (run it, or say -S as then)"
    return "which are of use is only known when all cells are tuned"


def _list(what: str, found: list[Orphan], place: Place) -> None:
    click.echo(f"{what}: {len(found)}, {size(sum(one.bytes for one in found))}")
    for one in found:
        kept = f"  (stays: {one.kept})" if one.kept else ""
        click.echo(f"  {size(one.bytes):>10}  {one.path.relative_to(place.results)}{kept}")


def _ask(found: list[Orphan]) -> int:
    many = len(found)
    taken = size(sum(one.bytes for one in found))
    click.echo(f"{many} thing{'s' * (many != 1)}, {taken}; --yes removes {'it' if many == 1 else 'them'}" if found
               else "none of it may be removed")
    return 0


def _clean(found: list[Orphan], place: Place) -> int:
    """Remove all; 1 where something could not be."""
    freed, left = 0, 0
    for one in found:
        try:
            why = remove(one, place.results, place.claims)
        except OSError as wrong:
            why = wrong.strerror or str(wrong)
        if why:
            click.echo(f"left alone: {one.path.relative_to(place.results)}: {why}")
        freed, left = freed + (0 if why else one.bytes), left + bool(why)
    many = len(found) - left
    click.echo(f"removed {many} thing{'s' * (many != 1)}, {size(freed)}")
    return 1 if left else 0
