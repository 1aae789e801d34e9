"""`vlpbench report plot`: pictures."""

from __future__ import annotations

import click

__all__ = ["draw"]


@click.command("plot")
def draw() -> None:
    """Not there yet."""
    raise NotImplementedError
