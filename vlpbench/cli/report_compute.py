"""`vlpbench report compute`: what was spent."""

from __future__ import annotations

import click

__all__ = ["print_compute"]


@click.command("compute")
def print_compute() -> None:
    """Not there yet."""
    raise NotImplementedError
