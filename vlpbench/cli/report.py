"""`vlpbench report`: from records to tables."""

from __future__ import annotations

from pathlib import Path

import click

from vlpbench.results import load
from vlpbench.results.cost import cost
from vlpbench.results.notes import notes
from vlpbench.results.table import summary

__all__ = ["report", "table_text"]


@click.group()
def report() -> None:
    """Turn results into tables."""


@report.command("table")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--format", "form", type=click.Choice(["md", "csv", "json"]), default="md", show_default=True,
    help="md: the table as a paper has it, and what must be said under it; csv, json: one line a row, task, metric.",
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric. May be repeated.")
def print_table(results: tuple[Path, ...], form: str, metrics: tuple[str, ...]) -> None:
    """Print mean ± standard deviation over seeds of the grid in each RESULTS folder. Works while a grid runs.

    \b
    vlpbench report table results/demo
    vlpbench report table results/demo --format csv > demo.csv
    """  # noqa: D301 (click reads \b)
    click.echo(table_text(results, form, metrics))


def table_text(folders: tuple[Path, ...], form: str = "md", metrics: tuple[str, ...] = ()) -> str:
    """The table of one or several grids' results as text."""
    found = load(*folders)
    chosen = list(metrics) or None
    if form == "csv":
        return str(summary(found, chosen).to_csv(index=False)).rstrip("\n")
    if form == "json":
        return str(summary(found, chosen).to_json(orient="records", indent=1))
    said = [f"- {line}" for line in notes(found)]
    return "\n".join([str(found.wide(chosen).to_markdown()), "", *said, "", str(cost(found).to_markdown())])
