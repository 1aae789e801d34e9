"""`vlpbench report compute`: what was spent."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from vlpbench.results import load
from vlpbench.results.compute import compute, compute_text

__all__ = ["print_compute"]


@click.command("compute")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--format", "form", type=click.Choice(["md", "csv", "json"]), default="md", show_default=True,
    help="md: to read and paste; csv: one line a row; json: everything.",
)
def print_compute(results: tuple[Path, ...], form: Literal["md", "csv", "json"]) -> None:
    """Print what the grid in each RESULTS folder took: devices, hours a cell and in all, FLOPs and memory.

    Failed, stopped and repeated work is counted as far as it left a time; what left none is said, never counted as 0.

    \b
    vlpbench report compute results/demo
    vlpbench report compute results/demo results/stems --format json
    """  # noqa: D301 (click reads \b)
    click.echo(compute_text(compute(load(*results)), form))
