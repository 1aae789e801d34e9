"""`vlpbench plugins doctor`: what is wrong with plugins, where in their files, and what to do."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import groupby

import click

from vlpbench import __version__, registry
from vlpbench.cli.session import Session
from vlpbench.registry.overview import Row, opened
from vlpbench.registry.pins import unsatisfied
from vlpbench.registry.standing import Failure, PluginError

__all__ = ["doctor"]


@click.command()
@click.pass_obj
def doctor(session: Session) -> int:
    """Load every plugin and say what is wrong: cause, remedy, and the lines of the plugin's own where it fails.

    Exit code 3 if any failed. A plugin that ends or hangs Python itself is found with VLPBENCH_TRACE_PLUGINS=1 (the
    last one told), and left out with --no-plugin NAME.

    \b
    vlpbench plugins doctor
    vlpbench -p my_objective.py plugins doctor
    vlpbench -v plugins doctor                   with the whole tracebacks
    """  # noqa: D301 (click reads \b)
    found = registry.load_registry(session.files, session.blocked)
    rows = opened(found)
    for paragraph in _paragraphs(rows, found.failures, session.verbose):
        click.echo(f"{paragraph}\n")
    click.echo(_sum(rows))
    return PluginError.exit_code if found.failures else 0


def _paragraphs(rows: Sequence[Row], failures: Sequence[Failure], verbose: bool) -> Iterator[str]:
    yield (
        f"vlpbench {__version__}, Python {platform.python_version()}, torch {version('torch')}, "
        f"pluggy {version('pluggy')}"
    )
    alone = [one for one in failures if one.status == "failed"]
    yield from ("\n".join(_failure(one, verbose)) for one in alone)
    rivals = sorted((one for one in failures if one.status == "conflict"), key=lambda one: one.cause)
    for cause, group in groupby(rivals, key=lambda one: one.cause):
        yield "\n".join(_conflict(cause, list(group)))
    for row in rows:
        if row.remarks:
            left = row.status == "left out"
            title = f"{'LEFT OUT' if left else 'REMARKS'}  {row.name} ({_who(row)})"
            yield "\n".join((title, *(f"  {one}" for one in row.remarks)))
    asked = unsatisfied(row.distribution for row in rows if row.distribution and not row.is_ours)
    for name, requirement in asked.items():
        yield f"VERSION  {name} asks for {requirement}; this is vlpbench {__version__}\n  to do: pip install -U {name}"


def _who(row: Row) -> str:
    return f"{row.distribution} {row.version}".strip() or "single file"


def _failure(one: Failure, verbose: bool) -> Iterator[str]:
    what = f"{one.component} of " if one.component else ""
    who = one.who if one.distribution else "single file"
    yield f"FAILED  {what}{one.name} ({who})"
    yield f"  cause: {one.cause}"
    yield f"  to do: {one.remedy}"
    if one.place:
        yield f"  where: {one.place}"
    lines = (one.traceback if verbose else one.frames).rstrip().splitlines()
    yield from (f"  | {line}" for line in lines)


def _conflict(cause: str, group: Sequence[Failure]) -> Iterator[str]:
    yield "CONFLICT  " + " and ".join(f"{one.name} ({one.who})" for one in group)
    yield f"  cause: {cause}"
    yield from (f"  to do: {remedy}" for remedy in dict.fromkeys(one.remedy for one in group))


def _sum(rows: Sequence[Row]) -> str:
    """How many plugins are in which state, those of this package left out."""
    theirs = [row for row in rows if not row.is_ours]
    words = {"conflict": "in conflict", "loaded": "in order"}
    states = ["in part" if row.failures and row.status == "loaded" else row.status for row in theirs]
    counts = ", ".join(f"{states.count(one)} {words.get(one, one)}" for one in dict.fromkeys(sorted(states)))
    ours = "what is built in works" if not any(row.failures for row in rows if row.is_ours) else "VLPBENCH IS BROKEN"
    return f"{counts or 'no plugins are installed'}; {ours}"
