"""`vlpbench report reproduction`: which published differences appear in our runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from vlpbench.results import load
from vlpbench.results.reproduction import ReproductionAsked, reproduction_text, reproductions

__all__ = ["print_reproduction"]


@click.command("reproduction")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--baseline", metavar="ROW", help="Row that the others are held against; by default the grid's reference, else its "
    "first row with a published number.",
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric. May be repeated.")
@click.option(
    "--margin", type=float, metavar="G", help="Say `no difference of G` of an interval that lies within ±G, in the "
    "unit of the table.",
)
@click.option("--power", type=float, default=0.8, show_default=True, help="How likely the smallest difference is seen.")
@click.option(
    "--alpha", type=float, default=0.05, show_default=True, help="Level of tests; intervals have 1 - alpha.",
)
@click.option(
    "--format", "form", type=click.Choice(["md", "latex", "csv", "json"]), default="md", show_default=True,
    help="md: the table and what must be said under it; latex: a table environment with booktabs; csv: one line a row; "
    "json: everything, with simultaneous intervals.",
)
def print_reproduction(
    results: tuple[Path, ...], baseline: str | None, metrics: tuple[str, ...], margin: float | None, power: float,
    alpha: float, form: Literal["md", "latex", "csv", "json"],
) -> None:
    """Say which differences that a paper prints appear in the grid in each RESULTS folder, and with which certainty.

    For grids whose rows say what a paper prints (`published`). A difference is reproduced where our interval over
    paired seeds leaves zero out on the published side, opposite where on the other, and else not shown.

    \b
    vlpbench report reproduction results/simvlm-ablation
    vlpbench report reproduction results/simvlm-ablation --baseline "SimVLM small" --metric accuracy --margin 1
    vlpbench report reproduction results/simvlm-ablation --format latex > reproduction.tex
    """  # noqa: D301 (click reads \b)
    asked = ReproductionAsked(baseline, metrics, margin, alpha, power)
    click.echo(reproduction_text(reproductions(load(*results), asked), form))
