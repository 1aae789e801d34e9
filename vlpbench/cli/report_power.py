"""`vlpbench report power`: how many seeds a gap needs."""

from __future__ import annotations

import click

__all__ = ["print_power"]


@click.command("power")
def print_power() -> None:
    """Not there yet."""
    raise NotImplementedError
