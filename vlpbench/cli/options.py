"""Options that several commands share."""

from __future__ import annotations

import click

__all__ = ["SET"]

SET = click.option(
    "-S", "--set", "overrides", multiple=True, metavar="KEY=VALUE",
    help="Say a setting over the grid file, in its words: -S optim.lr=3e-4 -S 'seeds=[0, 1]'. May be repeated.",
)
