"""`vlpbench report power`: how many seeds and test images a gap needs."""

from __future__ import annotations

from pathlib import Path

import click

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.power import GAPS, PowerAsked, power, power_text

__all__ = ["print_power"]


@click.command("power")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--baseline", metavar="ROW", help="Row that the others are held against; by default the grid's reference, else its "
    "first row.",
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric. May be repeated.")
@click.option(
    "--gap", "gaps", multiple=True, type=float, metavar="G", help="A gap to look for, in the unit of the table. May be "
    f"repeated; by default {', '.join(f'{gap:g}' for gap in GAPS)}.",
)
@click.option("--power", "share", type=float, default=0.8, show_default=True, help="How likely a gap shall be found.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Level of a table's tests, all together.")
@click.option(
    "--comparisons", type=int, metavar="M", help="Of the table, for Holm's correction; by default every row in every "
    "metric. 1 for a single comparison planned beforehand.",
)
def print_power(
    results: tuple[Path, ...], baseline: str | None, metrics: tuple[str, ...], gaps: tuple[float, ...], share: float,
    alpha: float, comparisons: int | None,
) -> None:
    """Say how many seeds, and how many test images, a gap needs, from the spread seen in each RESULTS folder.

    Works while a grid runs, from two seeds on; a short pilot of three seeds tells whether six or sixty are needed.

    \b
    vlpbench report power results/demo
    vlpbench report power results/simvlm-ablation --baseline "SimVLM small" --gap 0.5 --gap 1
    vlpbench report power results/pilot --metric CIDEr --comparisons 1 --power 0.9
    """  # noqa: D301 (click reads \b)
    asked = PowerAsked(baseline, metrics, gaps or GAPS, alpha, share, comparisons)
    found = power(load(*results), asked)
    if not found:
        raise UserError("no row has a score", ", ".join(map(str, results)), "wait for cells, or name another metric")
    click.echo("\n\n".join(map(power_text, found)))
