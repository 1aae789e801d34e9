"""`vlpbench plugins`: the workbench of whoever writes a plugin, or has one that does not work."""

from __future__ import annotations

import click

from vlpbench.cli.lazy import LazyGroup

__all__ = ["plugins"]

COMMANDS = {
    "list": ("vlpbench.cli.plugins_list:list_plugins", "What each plugin brings, and which are broken."),
    "new": ("vlpbench.cli.plugins_new:new", "Write a new plugin package that installs and passes its tests."),
}


@click.group(cls=LazyGroup, groups=COMMANDS)
def plugins() -> None:
    """List, explain, check and write plugins.

    \b
    vlpbench plugins new objective half-said      a package that installs and passes its tests
    vlpbench plugins check half_said.py           is it right? the conformance kit, in under a minute
    vlpbench plugins doctor                       why a plugin cannot be used, and what to do
    """  # noqa: D301 (click reads \b)
