"""A group of commands that are imported when they are called, so that `vlpbench --help` is instant."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from vlpbench.cli.stand_in import is_completing, outline_of, stand_in
from vlpbench.errors import nearest

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """Knows the name, home (`module:attribute`) and one sentence of each command; imports one when it is called."""

    def __init__(self, *args: Any, groups: Mapping[str, tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.homes = groups

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of their use."""
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None if there is none of that name. While a shell completes, a light stand-in."""
        if cmd_name not in self.homes:
            return None
        if is_completing():
            outline = outline_of(self)
            return stand_in(cmd_name, outline["commands"][cmd_name], outline)
        return self.load(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; of an unknown one the nearest is told."""
        near = None if args[0] in self.homes or args[0].startswith("-") else nearest(args[0], self.homes)
        if near is not None:
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {near!r}?", ctx)
        return super().resolve_command(ctx, args)

    def load(self, name: str) -> click.Command:
        """The command of a name, imported now."""
        module, _, attribute = self.homes[name][0].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in self.homes.items()])
