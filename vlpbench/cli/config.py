"""`vlpbench config`: what settings there are, for editors, and what a cell's are, for people."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vlpbench.cli.config_show import show_config
from vlpbench.cli.session import Session
from vlpbench.config.schema import grid_schema
from vlpbench.files import write_text
from vlpbench.registry import load_registry

__all__ = ["config"]


@click.group()
def config() -> None:
    """What settings there are, and what a cell's are."""


config.add_command(show_config)


@config.command("schema")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.json",
    help="Write it to this file instead of printing it.",
)
@click.pass_obj
def print_schema(session: Session, out: Path | None) -> None:
    """Print the JSON schema of a grid file: an editor completes, explains and checks settings with it.

    It knows the settings of all installed plugins, and of those loaded with -p.

    \b
    vlpbench config schema --out grid.schema.json
    vlpbench -p my_objective.py config schema --out grid.schema.json

    With Even Better TOML (VS Code) or taplo, write as the first line of a grid file:

    \b
    #:schema ./grid.schema.json
    """  # noqa: D301 (click reads \b)
    schema = json.dumps(grid_schema(load_registry(session.files, session.blocked).known()), indent=1)
    if out is None:
        click.echo(schema)
        return
    write_text(out, schema + "\n")
    click.echo(f'written; begin a grid file beside it with the line "#:schema ./{out.name}"', err=True)
