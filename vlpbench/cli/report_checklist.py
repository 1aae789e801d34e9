"""`vlpbench report checklist`: what venues ask."""

from __future__ import annotations

import click

__all__ = ["print_checklist"]


@click.command("checklist")
def print_checklist() -> None:
    """Not there yet."""
    raise NotImplementedError
