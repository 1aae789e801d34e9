"""What is being prepared, on stderr: a line a data set, and on a terminal how far its pictures are."""

from __future__ import annotations

import sys

import click

from vlpbench.runner.events import Event

__all__ = ["tell_preparing"]


def tell_preparing(event: Event) -> None:
    """Tell of one event of `prepare`."""
    if not event.of:
        click.echo(event.said, err=True)
    elif sys.stderr.isatty():
        click.echo(f"\r{event.said}: {event.done}/{event.of}", nl=event.done == event.of, err=True)
