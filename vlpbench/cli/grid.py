"""`vlpbench grid`: which grids there are, what one of them says, and where its cells stand."""

from __future__ import annotations

import click

from vlpbench.cli.grid_clean import grid_clean
from vlpbench.cli.grid_compact import grid_compact
from vlpbench.cli.grid_retry import grid_retry
from vlpbench.cli.grid_status import grid_status
from vlpbench.cli.grid_why import grid_why
from vlpbench.cli.session import Session
from vlpbench.config.gridfile import parse_file
from vlpbench.grid import find_grid
from vlpbench.registry import load_registry

__all__ = ["grid"]


@click.group()
def grid() -> None:
    """List grids, show what a grid says, and where its cells stand."""


@grid.command("list")
@click.pass_obj
def list_grids(session: Session) -> None:
    """List the grids that this package and plugins bring, each with its description."""
    registry = load_registry(session.files, session.blocked)
    for name in registry.names("grid"):
        tables, _ = parse_file(registry.grid(name))
        click.echo(f"{name:20} {tables.get('description', '')}  ({registry.origin('grid', name)})")


@grid.command("show")
@click.argument("name", metavar="GRID")
@click.pass_obj
def show_grid(session: Session, name: str) -> None:
    """Print a grid file, comments and all: a start for your own.

    \b
    vlpbench grid show demo > my-grid.toml
    """  # noqa: D301 (click reads \b)
    _, text = parse_file(find_grid(name, load_registry(session.files, session.blocked)))
    click.echo(text, nl=False)


for _command in (grid_status, grid_why, grid_retry, grid_clean, grid_compact):
    grid.add_command(_command)
