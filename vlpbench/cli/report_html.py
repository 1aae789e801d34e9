"""`vlpbench report html`: one page to look at."""

from __future__ import annotations

import click

__all__ = ["write_page"]


@click.command("html")
def write_page() -> None:
    """Not there yet."""
    raise NotImplementedError
