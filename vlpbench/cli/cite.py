"""`vlpbench cite`: BibTeX."""

from __future__ import annotations

from pathlib import Path

import click

from vlpbench.cli.session import Session
from vlpbench.registry import load_registry
from vlpbench.results import load
from vlpbench.results.citations import citations, citations_text, every_citation, framework

__all__ = ["cite"]


@click.command("cite")
@click.argument("results", nargs=-1, type=click.Path(path_type=Path), metavar="[RESULTS...]")
@click.option("--all", "everything", is_flag=True, help="Every entry that vlpbench knows, whatever was used.")
@click.pass_obj
def cite(session: Session, results: tuple[Path, ...], everything: bool) -> None:
    """Print the BibTeX of vlpbench and of what the grid in each RESULTS folder used, each entry under what it is for.

    These are objectives, stems, trunks, data sets, recipes, metrics and statistics; a plugin brings its own (`cites`).
    What to cite for the rest is said in comments. Without RESULTS it is the entry of vlpbench alone.

    \b
    vlpbench cite
    vlpbench cite results/demo > paper.bib
    vlpbench cite --all
    """  # noqa: D301 (click reads \b)
    if everything:
        click.echo(citations_text(every_citation()))
        return
    if not results:
        click.echo(citations_text([framework()]))
        click.echo("vlpbench cite RESULTS adds what those results used, --all prints every entry", err=True)
        return
    found = load(*results)
    click.echo(citations_text(citations(found, load_registry(session.files, session.blocked))))
