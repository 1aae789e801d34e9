"""`vlpbench report table`: from records to a table, in any format a paper takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlpbench.results import load
from vlpbench.results.cost import cost
from vlpbench.results.notes import notes
from vlpbench.results.summary import summary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["print_table", "table_text"]


@click.command("table")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--format", "form", type=click.Choice(["md", "csv", "json"]), default="md", show_default=True,
    help="md: the table as a paper has it, and what must be said under it; csv, json: one line a row, task, metric.",
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric. May be repeated.")
@click.option(
    "--beside", metavar="NAME,...", help="Columns right after the row's name, such as image_tokens,flops; by default "
    "those that the grid names under `beside`, none with --beside ''.",
)
def print_table(results: tuple[Path, ...], form: str, metrics: tuple[str, ...], beside: str | None) -> None:
    """Print mean ± standard deviation over seeds of the grid in each RESULTS folder. Works while a grid runs.

    \b
    vlpbench report table results/demo
    vlpbench report table results/stems --beside image_tokens,flops,parameters
    vlpbench report table results/demo --format csv > demo.csv
    """  # noqa: D301 (click reads \b)
    columns = None if beside is None else [name.strip() for name in beside.split(",") if name.strip()]
    click.echo(table_text(results, form, metrics, columns))


def table_text(
    folders: tuple[Path, ...], form: str = "md", metrics: tuple[str, ...] = (), beside: Sequence[str] | None = None
) -> str:
    """The table of one or several grids' results as text; `beside` None takes the columns that the grids name."""
    found = load(*folders)
    chosen = list(metrics) or None
    if form == "csv":
        return str(summary(found, chosen).to_csv(index=False)).rstrip("\n")
    if form == "json":
        return str(summary(found, chosen).to_json(orient="records", indent=1))
    said = [f"- {line}" for line in notes(found)]
    table = found.wide(chosen, beside)
    return "\n".join([_markdown(table), "", *said, "", _markdown(cost(found))])


def _markdown(table: pd.DataFrame) -> str:
    """The table in Markdown, its texts as they are (`0.60` stays `0.60`)."""
    return str(table.to_markdown(disable_numparse=True))
