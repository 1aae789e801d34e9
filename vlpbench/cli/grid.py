"""`vlpbench grid`: which grids there are, and what one of them says."""

from __future__ import annotations

import click

from vlpbench.cli.session import Session
from vlpbench.config.gridfile import parse_file
from vlpbench.grid import find_grid
from vlpbench.registry import load_registry

__all__ = ["grid"]


@click.group()
def grid() -> None:
    """List grids, show what a grid says."""


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
