"""`vlpbench run grid --estimate`: made, kept beside the results, and compared with what then happened."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vlpbench.cli.estimate import compared, estimate_lines
from vlpbench.cli.progress import Progress
from vlpbench.cli.work import Work
from vlpbench.device import Device
from vlpbench.files import write_json
from vlpbench.registry import Registry
from vlpbench.runner.estimate import Estimate, estimate_grid, from_plain, to_plain
from vlpbench.runner.grid_run import place_of
from vlpbench.runner.plan import Plan
from vlpbench.runner.rules import Rules

__all__ = ["ESTIMATE", "estimate", "in_seconds", "tell_estimate"]

ESTIMATE = "estimate.json"
"""The last estimate in a grid's results."""


def estimate(plan: Plan, registry: Registry, rules: Rules, progress: Progress) -> None:
    """Measure, print, and keep for comparison."""
    found = estimate_grid(plan, registry, place_of(Device.choose(rules.device), rules), progress.heard, rules)
    if found.cells:
        write_json(plan.results / ESTIMATE, to_plain(found))
    click.echo("\n".join(estimate_lines(found)))


def in_seconds(work: Work, results: Path) -> Work:
    """What is to be done in the seconds of an estimate, where one was made."""
    found = _kept(results)
    return work if found is None else work.timed(found.stages)


def tell_estimate(plan: Plan) -> None:
    """Say how an estimate of what was run compares with what happened; on stderr, since it is no result."""
    found, ran = _kept(plan.results), {cell.id for cell in plan.chosen("run")}
    if found is not None and any(ran & set(row.ids) for row in found.rows):
        for line in compared(found, plan.results):
            click.echo(line, err=True)


def _kept(results: Path) -> Estimate | None:
    """The estimate of these results; None where there is none that can be read."""
    try:
        return from_plain(json.loads((results / ESTIMATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
