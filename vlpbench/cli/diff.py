"""`vlpbench diff`: why two cells, or two runs of a grid, came out as they did."""

from __future__ import annotations

import json

import click

from vlpbench.results.difference import Difference, differences
from vlpbench.results.difference_text import lines_of, lines_of_all

__all__ = ["diff"]


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with everything, numbers unrounded.")
def diff(a: str, b: str, as_json: bool) -> None:
    """Say why A and B differ: two cells, or two results folders whose cells of one row and seed are compared.

    A cell is its folder, or RESULTS:ID (the beginning of its id, or ROW-s0). First comes what may be the reason, the
    most telling first: settings, seed, versions, code, data, initial weights, libraries, hardware; then what came out:
    the first step where the curves part, scores, predictions; then what follows.

    \b
    vlpbench diff results/demo:prefix-lm-s0 results/demo:contrastive-s0
    vlpbench diff results/demo old-results/demo
    vlpbench diff results/demo:4ab38e old-results/demo --json
    """  # noqa: D301 (click reads \b)
    found = differences(a, b)
    if as_json:
        click.echo(json.dumps(found.plain(), indent=1, allow_nan=False, ensure_ascii=False))
        return
    click.echo("\n".join(lines_of(found) if isinstance(found, Difference) else lines_of_all(found)))
