"""`vlpbench cite`: BibTeX."""

from __future__ import annotations

import click

__all__ = ["cite"]


@click.command("cite")
def cite() -> None:
    """Not there yet."""
    raise NotImplementedError
