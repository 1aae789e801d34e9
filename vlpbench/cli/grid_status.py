"""`vlpbench grid status`: each cell of a grid with what it is and, where it runs, how far it has come."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from vlpbench.cli.durations import clock
from vlpbench.cli.grid_place import Place, is_results, place_of
from vlpbench.cli.grid_waste import waste_line
from vlpbench.cli.options import SET
from vlpbench.cli.run_options import RESULTS
from vlpbench.cli.session import Session
from vlpbench.errors import UserError
from vlpbench.records import CellFolder, Holder
from vlpbench.runner.standing import STATES, Standing

__all__ = ["grid_status", "one_line"]

_COLOURS = {"done": "green", "running": "cyan", "failed": "red", "timeout": "red", "damaged": "red", "stale": "yellow"}


@click.command("status")
@click.argument("grid", default="", metavar="[GRID or RESULTS]")
@SET
@RESULTS
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_obj
def grid_status(session: Session, grid: str, overrides: tuple[str, ...], results: Path, as_json: bool) -> None:
    """Show where each cell of a grid stands, also while it is being run, by whomever.

    A results folder tells by itself, without plugins or data. Without a name: all grids of the results folder.

    \b
    vlpbench grid status my-grid.toml
    vlpbench grid status results/demo
    """  # noqa: D301 (click reads \b)
    places = [place_of(grid, overrides, results, session)] if grid else _all(results, session)
    if as_json:
        found = [_plain(place) for place in places]
        click.echo(json.dumps(found if not grid else found[0], indent=1))
        return
    for place in places:
        for note in place.notes:
            click.echo(f"note: {note}", err=True)
        stands = place.states()
        if len(places) == 1 and stands:
            click.echo("\n".join(_table(place, stands)))
        click.echo("\n".join(_sums(place, stands)))


def _all(results: Path, session: Session) -> list[Place]:
    """Every grid of a folder of results."""
    if is_results(results):
        return [place_of(str(results), (), results, session)]
    folders = sorted(one for one in results.iterdir() if is_results(one)) if results.is_dir() else []
    if not folders:
        raise UserError(f"there are no results in {results}", remedy="vlpbench run grid runs the demo; or name a grid")
    return [place_of(str(one), (), results, session) for one in folders]


def one_line(text: str, longest: int = 0) -> str:
    """The first line of what may have many, cut to a length if there is one."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if not longest or len(first) <= longest else first[: max(1, longest - 3)] + "..."


def _table(place: Place, stands: Mapping[str, Standing]) -> Iterator[str]:
    """Aligned columns; on a terminal the last one is cut to its width, elsewhere nothing is."""
    lines: list[tuple[str, ...]] = [("row", "seed", "cell", "state", "stage", "loss", "time", "")]
    lines += [_cells(place.results, stands[one.id]) for one in place.asked]
    kept = [at for at in range(7) if any(line[at] for line in lines[1:])]
    widths = {at: max(len(line[at]) for line in lines) for at in kept}
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for number, line in enumerate(lines):
        told = [line[at].rjust(widths[at]) if at in (1, 5, 6) else line[at].ljust(widths[at]) for at in kept]
        left = room - sum(widths[at] + 2 for at in kept)
        why = one_line(line[7], max(left, 20) if room else 0)
        state = kept.index(3) if 3 in kept else 0
        told[state] = click.style(told[state], fg=_COLOURS.get(line[3]), bold=number == 0)
        yield "  ".join([*told, why]).rstrip()


def _cells(results: Path, one: Standing) -> tuple[str, ...]:
    holder = one.holder
    stage, loss = "", ""
    if holder is not None:
        stage = f"{holder.stage} {holder.done}/{holder.of}" if holder.of else holder.stage
        loss = f"{holder.figures['loss']:.3f}" if "loss" in holder.figures else ""
    seconds = _since(holder) if holder is not None else _seconds(results, one)
    asked = one.asked
    why = "" if holder is not None else one.why
    return (asked.row, str(asked.seed), asked.id, one.state, stage, loss, clock(seconds) if seconds else "", why)


def _since(holder: Holder) -> float:
    """How long a cell has been running, by this machine's clock."""
    try:
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(holder.began)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _seconds(results: Path, one: Standing) -> float:
    """What a cell that has ended took."""
    if one.state not in ("done", "failed", "timeout"):
        return 0.0
    return float(CellFolder(results / "cells" / one.asked.folder).facts("timing").get("total", 0.0))


def _sums(place: Place, stands: Mapping[str, Standing]) -> Iterator[str]:
    counts = Counter(one.state for one in stands.values())
    told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    many = len(stands)
    yield f"{place.name}: {many} cell{'s' * (many != 1)}{': ' + told if told else ''}; results in {place.results}"
    yield from _at_work([one.holder for one in stands.values() if one.holder is not None])
    if line := waste_line(place):
        yield line


def _at_work(holders: Sequence[Holder]) -> Iterator[str]:
    """Which processes run cells, and where."""
    machines: dict[str, list[Holder]] = {}
    for one in holders:
        machines.setdefault(one.host, []).append(one)
    for found in machines.values():
        pids = ", ".join(str(one.pid) for one in found)
        where = "this" if found[0].here else "another"
        yield f"at work on {where} machine: process{'es' * (len(found) > 1)} {pids}"


def _plain(place: Place) -> dict[str, Any]:
    """The same as JSON."""
    found = [_one(place.results, one) for one in place.states().values()]
    return {"grid": place.name, "results": str(place.results), "cells": found}


def _one(results: Path, one: Standing) -> dict[str, Any]:
    holder = one.holder
    told = {"row": one.asked.row, "seed": one.asked.seed, "id": one.asked.id, "state": one.state, "why": one.why}
    running = {"stage": holder.stage, "done": holder.done, "of": holder.of} if holder is not None else {}
    return told | running | {"seconds": _seconds(results, one) or None}
