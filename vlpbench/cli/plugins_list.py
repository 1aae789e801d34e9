"""`vlpbench plugins list`: what each plugin brings, and which are broken, why, and what to do."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import click

from vlpbench import registry
from vlpbench.cli.session import Session
from vlpbench.registry.overview import Named, Row, opened, unopened
from vlpbench.registry.standing import Failure

__all__ = ["described", "list_plugins", "told_failure"]

_HEADS = ("PLUGIN", "DISTRIBUTION", "VERSION", "API", "STATUS", "BRINGS")


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.option("--no-import", "closed", is_flag=True, help="Import nothing: metadata, and guesses from the files' text.")
@click.option("--all", "everything", is_flag=True, help="The built-in ones by name, too.")
@click.pass_obj
def list_plugins(session: Session, as_json: bool, closed: bool, everything: bool) -> None:
    """List the good and the failed plugins; a broken one never keeps this command from working.

    \b
    vlpbench plugins list
    vlpbench plugins list --no-import            when a plugin ends or hangs Python itself
    vlpbench -p my_objective.py plugins list     with a file that is not installed
    """  # noqa: D301 (click reads \b)
    if closed:
        rows = unopened(session.files, session.blocked)
    else:
        rows = opened(registry.load_registry(session.files, session.blocked))
    if as_json:
        click.echo(json.dumps(described(rows), indent=1))
        return
    click.echo("\n".join(_text(rows, everything, session.verbose)))
    if closed:
        click.echo("nothing was imported: what plugins bring is guessed from their files", err=True)
    elif any(row.failures for row in rows) and not session.verbose:
        click.echo("vlpbench plugins doctor shows where the failed ones go wrong", err=True)


def described(rows: Iterable[Row]) -> dict[str, Any]:
    """All plugins as JSON: those there are with what they bring, and all failures with cause and remedy."""
    rows = list(rows)
    return {
        "plugins": [
            {
                "name": row.name, "distribution": row.distribution, "version": row.version, "status": row.status,
                "api_version": row.api_version, "sha256": row.sha256, "built_in": row.is_ours, "hooks": list(row.hooks),
                "brings": [" ".join(one).strip() for one in row.brings], "remarks": list(row.remarks),
            }
            for row in rows
        ],
        "failures": [told_failure(one) for row in rows for one in row.failures],
    }


def told_failure(one: Failure) -> dict[str, str]:
    """A failure as JSON."""
    return {
        "name": one.name, "distribution": one.distribution, "version": one.version, "status": one.status,
        "component": one.component, "cause": one.cause, "remedy": one.remedy, "traceback": one.traceback,
    }


def _text(rows: Sequence[Row], everything: bool, verbose: bool) -> Iterator[str]:
    """An aligned table; under each plugin what is wrong with it."""
    shown = [row for row in rows if everything or not row.is_ours or row.failures]
    lines: list[tuple[tuple[str, ...], Sequence[Failure]]] = [(_HEADS, ())]
    lines += [(_cells(row), row.failures) for row in shown]
    if not everything:
        lines += [(cells, ()) for cells in _brief([row for row in rows if row.is_ours])]
    widths = [max(map(len, column)) for column in zip(*(cells[:-1] for cells, _ in lines), strict=True)]
    for cells, failures in lines:
        before = "  ".join(f"{cell:{width}}" for cell, width in zip(cells[:-1], widths, strict=True)) + "  "
        yield from _wrapped(before, cells[-1])
        for failure in failures:
            yield from _failure(failure, verbose)


def _wrapped(before: str, text: str) -> list[str]:
    """The last column within the window, its further lines under the first."""
    width = max(shutil.get_terminal_size((120, 24)).columns, len(before) + 30)
    words = textwrap.wrap(text, width - len(before), break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{before if n == 0 else ' ' * len(before)}{line}".rstrip() for n, line in enumerate(words)]


def _cells(row: Row) -> tuple[str, ...]:
    told = [_names(row.brings)] if row.brings else []
    told += ["watches finished cells"] if "vlpbench_cell_finished" in row.hooks else []
    told += row.remarks
    api = "?" if row.api_version is None else str(row.api_version)
    status = "in part" if row.failures and row.status == "loaded" else row.status
    return row.name, row.distribution or "(single file)", row.version or "-", api, status, "; ".join(told)


def _names(brings: Sequence[Named]) -> str:
    """The names of each kind: "objective a, b; recipe c"."""
    kinds = groupby(sorted(brings, key=lambda one: one[0]), key=lambda one: one[0])
    return "; ".join(f"{kind} {', '.join(name for _, name in some)}".strip() for kind, some in kinds)


def _brief(ours: Sequence[Row]) -> list[tuple[str, ...]]:
    """All that is built in on one line, as counts."""
    if not ours:
        return []
    counts = Counter(kind for row in ours for kind, _ in row.brings)
    told = ", ".join(f"{many} {kind}{'s' if many > 1 else ''}" for kind, many in counts.items())
    first = ours[0]
    api = "?" if first.api_version is None else str(first.api_version)
    told += " (--all: by name)" if told else ""
    return [("(built in)", first.distribution, first.version, api, first.status, told)]


def _failure(one: Failure, verbose: bool) -> Iterator[str]:
    if one.component:
        yield f"    {one.component} {one.status}"
    yield f"    cause: {one.cause}"
    yield f"    to do: {one.remedy}"
    if verbose and one.traceback:
        yield from (f"    | {line}" for line in one.traceback.rstrip().splitlines())
