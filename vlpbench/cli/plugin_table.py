"""`vlpbench report table --what NAME` of a plugin: found by name, printed like any other table.

The loader of plugins is imported when it is first asked (PEP 562): our own tables need neither it nor torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
from click.core import ParameterSource

from vlpbench import registry
from vlpbench.cli.session import Session
from vlpbench.errors import UserError, unknown
from vlpbench.results import load
from vlpbench.results.tables import Asked, Table
from vlpbench.results.tables.asked import What
from vlpbench.results.tables.brought import brought_table
from vlpbench.results.tables.selection import selected

__all__ = ["plugin_table"]

_MINE = ("results", "what", "form", "where", "tasks", "metrics", "decimals", "caption")
"""Options that a plugin's table obeys: those about which results it is made of, and about print."""


def plugin_table(session: Session, folders: tuple[Path, ...], name: str, asked: Asked) -> Table:
    """The table called `name` of a plugin; UserError where there is none, or an option is not for it."""
    found = registry.load_registry(session.files, session.blocked)
    known = found.names("table")
    if name not in known:
        try:
            found.table(name)
        except registry.PluginError:
            raise
        except UserError:
            raise unknown("table", name, [*get_args(What), *known], "--what") from None
    _refuse_others(name)
    results = selected(load(*folders), asked)
    return brought_table(found.table(name), found.origin("table", name), results, asked.decimals)


def _refuse_others(name: str, mine: Sequence[str] = _MINE) -> None:
    """UserError for an option of our own tables, which this one would not look at."""
    context = click.get_current_context()
    for one in context.command.params:
        said = one.name is not None and context.get_parameter_source(one.name) is ParameterSource.COMMANDLINE
        if said and one.name not in mine:
            what = f"{one.opts[0]} is not for {name!r}, which is the table of a plugin"
            raise UserError(what, one.opts[0], f"leave it out; or --what {'|'.join(get_args(What))}")
