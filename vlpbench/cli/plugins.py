"""`vlpbench plugins`: the workbench of whoever writes a plugin, or has one that does not work."""

from __future__ import annotations

import click

from vlpbench.cli.lazy import LazyGroup
from vlpbench.registry.switches import strictness

__all__ = ["plugins"]

COMMANDS = {
    "list": ("vlpbench.cli.plugins_list:list_plugins", "What each plugin brings, and which are broken."),
    "info": ("vlpbench.cli.plugins_info:info", "All about one plugin, or about one thing that a plugin brings."),
    "doctor": ("vlpbench.cli.plugins_doctor:doctor", "What is wrong with plugins, where, and what to do."),
    "new": ("vlpbench.cli.plugins_new:new", "Write a new plugin package that installs and passes its tests."),
    "check": ("vlpbench.cli.plugins_check:check", "Run the conformance kit on a plugin, without pytest."),
}


@click.group(cls=LazyGroup, groups=COMMANDS)
@click.pass_context
def plugins(context: click.Context) -> None:
    """List, explain, check and write plugins.

    \b
    vlpbench plugins new objective half-said      a package that installs and passes its tests
    vlpbench plugins check half_said.py           is it right? the conformance kit, in under a minute
    vlpbench plugins doctor                       why a plugin cannot be used, and what to do
    """  # noqa: D301 (click reads \b)
    context.with_resource(strictness(False))  # these commands are for when a plugin is broken
