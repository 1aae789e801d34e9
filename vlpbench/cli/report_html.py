"""`vlpbench report html`: one page to look at."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from vlpbench.cli.session import Session
from vlpbench.cli.sizes import size
from vlpbench.errors import UserError
from vlpbench.registry import load_registry
from vlpbench.results import load
from vlpbench.results.page.page import write_page as written

__all__ = ["write_page"]

_QUIET = 2.0
"""Seconds in which nothing is said of what is being made."""


@click.command("html")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="What to write; by default GRID.html, named after the first of RESULTS, in the working folder.",
)
@click.option("--no-gallery", is_flag=True, help="Leave out pictures and what rows said of them: under 2 MB.")
@click.option(
    "--pictures", type=click.IntRange(min=1), default=60, show_default=True, metavar="N",
    help="How many examples of each task the gallery shows at most.",
)
@click.option(
    "--baseline", metavar="ROW",
    help="The row that differences are taken to; by default the grid's reference, with '' none.",
)
@click.pass_obj
def write_page(
    session: Session, results: tuple[Path, ...], out: Path | None, no_gallery: bool, pictures: int,
    baseline: str | None,
) -> None:
    """Write one HTML file of the grid in each RESULTS folder, to look at and to send to others.

    It needs no network and no other file: tables that sort by a click, plots, what became of every cell and why,
    settings, versions, machines, cost, and a gallery of what each row said. Works while a grid runs.

    \b
    vlpbench report html results/demo
    vlpbench report html results/demo results/stems --out both.html
    vlpbench report html results/demo --no-gallery --out small.html
    """  # noqa: D301 (click reads \b)
    path = out or Path(f"{results[0].resolve().name.removesuffix('.parquet')}.html")
    if path.suffix.lower() not in (".html", ".htm"):
        near = path.with_suffix(".html").name if path.name else "page.html"
        raise UserError("a page is written as HTML", f"--out {path}", f"did you mean {near}?")
    heard = _progress()
    heard("results")
    loaded = load(*results)
    try:
        plugins = partial(load_registry, session.files, session.blocked)
        bytes_written = written(loaded, path, None if no_gallery else pictures, baseline, heard, plugins)
    except OSError as error:
        cause = f"the page cannot be written: {error.strerror or error}"
        raise UserError(cause, f"--out {path}", "name another folder") from None
    click.echo(f"{path}: {size(bytes_written)}")


def _progress() -> Callable[[str], None]:
    """Tells stderr what is being made, once it has taken two seconds."""
    start = time.monotonic()

    def heard(part: str) -> None:
        if time.monotonic() - start > _QUIET:
            click.echo(f"{part} …", file=sys.stderr)

    return heard
