"""`vlpbench run score`: the metrics again, from stored predictions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from vlpbench.cli.report_table import table_text
from vlpbench.cli.session import Session
from vlpbench.errors import UserError, unknown
from vlpbench.metrics.captions import METRICS
from vlpbench.registry import PluginError, Registry, load_registry
from vlpbench.runner.rescoring import Rescored, done_cells, refuse_unread, rescore, with_predictions

__all__ = ["score_again"]


@click.command("score")
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS")
@click.option(
    "--metrics", metavar="NAME,...",
    help=f"Metrics to measure beside those that the grid asked for: {', '.join(METRICS)} of captions, and those that "
    "plugins bring (`vlpbench plugins list`).",
)
@click.pass_obj
def score_again(session: Session, results: Path, metrics: str | None) -> None:
    """Measure the finished cells in RESULTS again, from their stored predictions: no model, no pictures, no GPU.

    For METEOR where Java was not there at first, for a later version of the metrics, or for a metric of a plugin. What
    changed is printed.

    \b
    vlpbench run score results/demo
    vlpbench run score results/demo --metrics CIDEr-plain
    vlpbench -p length.py run score results/demo --metrics caption-length
    """  # noqa: D301 (click reads \b)
    names = [name.strip() for name in (metrics or "").split(",") if name.strip()]
    registry = load_registry(session.files, session.blocked)
    for name in names:
        _refuse_unknown(name, registry)
    there, told = done_cells(results), list[Rescored]()
    found = with_predictions(there, results)
    if left := len(there) - len(found):
        said = "1 compact record is" if left == 1 else f"{left} compact records are"
        click.echo(f"{said} left as {'it is' if left == 1 else 'they are'}: no predictions are kept there", err=True)
    refuse_unread(found, names, registry)
    with click.progressbar(found, label=f"scoring {len(found)} cells", file=sys.stderr) as cells:
        for cell in cells:
            told += rescore(cell, registry, names)
    changes = [line for one in told for line in _changes(one)]
    changed = f"{len(changes)} value{'s' * (len(changes) != 1)} changed"
    changes.append(f"{len(told)} tasks of {len(found)} cells scored again, {changed}")
    click.echo("\n".join(changes))
    click.echo("\n" + table_text((results,)))


def _refuse_unknown(name: str, registry: Registry) -> None:
    """UserError for a metric that is neither a caption score nor a plugin's; a failed plugin's tells why it failed."""
    there = [*METRICS, *registry.names("metric")]
    if name in there:
        return
    try:
        registry.metric(name)
    except PluginError:
        raise
    except UserError:
        raise unknown("metric", name, there, "--metrics") from None


def _changes(one: Rescored) -> Iterator[str]:
    """One line for each metric that is now another."""
    for name, (was, now) in one.changed.items():
        shown = ["none" if value is None else f"{value:.6g}" for value in (was, now)]
        yield f"{one.row}, seed {one.seed}, {one.task}: {name} {shown[0]} -> {shown[1]}"
