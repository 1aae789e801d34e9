"""`vlpbench config show`: one cell's settings resolved, each with where it came from."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vlpbench.cli.choosing import chosen_cell
from vlpbench.cli.options import SET
from vlpbench.cli.session import Session
from vlpbench.config.keys import NAMED
from vlpbench.config.typed import shown
from vlpbench.grid import Cell, cells, open_grid, origins
from vlpbench.runner.workbench import opened_here

__all__ = ["show_config", "table_of"]

Line = tuple[str, Any, str]
"""Key, value, where it came from."""

_DEFAULT = "default"


@click.command("show")
@click.argument("grid", default="demo", metavar="[GRID]")
@click.option("--row", default="", metavar="NAME", help="Row of the grid; by default the first.")
@click.option("--seed", type=int, metavar="N", help="Seed of the cell; by default the first.")
@click.option("--changed", is_flag=True, help="Only what is not a default.")
@SET
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_obj
def show_config(
    session: Session, grid: str, row: str, seed: int | None, changed: bool, overrides: tuple[str, ...], as_json: bool,
) -> None:
    """Show the settings of one cell of a GRID, and for each where it came from: file and line, recipe, -S, default.

    \b
    vlpbench config show demo --row contrastive
    vlpbench config show my-grid.toml --changed
    vlpbench config show demo -S optim.lr=3e-4 --json
    """  # noqa: D301 (click reads \b)
    read, registry = open_grid(grid, overrides, session.files, session.blocked)
    cell = chosen_cell(cells(read, registry, opened_here), row, seed)
    lines = [line for line in origins(read, registry, cell) if not changed or line[2] != _DEFAULT]
    if as_json:
        click.echo(json.dumps(_described(cell, lines), indent=1))
        return
    click.echo(_headline(cell))
    if sys.stdout.isatty():
        Console(highlight=False).print(_table(lines))
    else:
        click.echo("\n".join(plain_lines(lines)))


def _headline(cell: Cell) -> str:
    reason = f"\ncan't run: {cell.reason}" if cell.reason else ""
    return f"{cell.grid}: {cell.row}, seed {cell.seed}, cell {cell.id}{reason}"


def _described(cell: Cell, lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "grid": cell.grid, "row": cell.row, "seed": cell.seed, "id": cell.id, "reason": cell.reason,
        "settings": [{"key": key, "value": value, "from": where} for key, value, where in lines],
    }


def plain_lines(lines: Sequence[Line]) -> list[str]:
    """Settings as aligned columns, an empty line between tables: to read, to search, to compare."""
    texts = [(key, shown(value), where) for key, value, where in lines]
    keys, values = (max((len(line[at]) for line in texts), default=0) for at in (0, 1))
    found: list[str] = []
    for _, group in groupby(texts, key=lambda line: table_of(line[0])):
        found.append("")
        found += [f"{key:{keys}}  {value:{min(values, 40)}}  {where}" for key, value, where in group]
    return found


def _table(lines: Sequence[Line]) -> Table:
    """The same for a terminal: defaults are dim, what was said stands out."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("setting", "value", "from"):
        table.add_column(head, overflow="fold")
    before: str | None = None
    for key, value, where in lines:
        if before is not None and table_of(key) != before:
            table.add_row()
        before = table_of(key)
        style = "dim" if where == _DEFAULT else ""
        table.add_row(*(Text(text, style=style) for text in (key, shown(value), where)))
    return table


def table_of(key: str) -> str:
    """The table that a setting stands in: `optim`, `protocol.vqa`; empty for those without one."""
    path = key.split(".")
    is_named = len(path) > 2 and path[0] in NAMED
    return ".".join(path[:2]) if is_named else ".".join(path[:-1][:1])
