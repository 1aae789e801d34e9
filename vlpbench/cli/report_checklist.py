"""`vlpbench report checklist`: what venues ask."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from vlpbench.cli.session import Session
from vlpbench.registry import load_registry
from vlpbench.results import load
from vlpbench.results.checklist import VENUES, checklist, checklist_text

__all__ = ["print_checklist"]


@click.command("checklist")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--venue", type=click.Choice([*VENUES, "all"]), default="all", show_default=True, help="Whose list of questions.",
)
@click.option(
    "--format", "form", type=click.Choice(["md", "latex", "json"]), default="md", show_default=True,
    help="latex: a description list that needs no package.",
)
@click.pass_obj
def print_checklist(
    session: Session, results: tuple[Path, ...], venue: str, form: Literal["md", "latex", "json"]
) -> None:
    """Print what NeurIPS and ACL venues ask about reproducibility, answered from the records in each RESULTS folder.

    An answer says what a record holds. What none holds is yours to say, and stands there as such: no yes is invented.

    \b
    vlpbench report checklist results/demo
    vlpbench report checklist results/demo --venue neurips --format latex > checklist.tex
    """  # noqa: D301 (click reads \b)
    found = checklist(load(*results), load_registry(session.files, session.blocked), venue)
    click.echo(checklist_text(found, form))
