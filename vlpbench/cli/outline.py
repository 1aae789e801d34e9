"""What can be typed, as plain data: commands, options, and the names that they take.

Making it imports everything that the commands need, so it is made once and kept: completion only reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from vlpbench.cli.lazy import LazyGroup
from vlpbench.config.keys import SECTIONS, TOP
from vlpbench.config.known import Known
from vlpbench.config.settings import Protocol
from vlpbench.config.typed import fields_of
from vlpbench.registry import Registry, load_registry
from vlpbench.results.beside import BESIDE
from vlpbench.results.shown_metrics import SHOWN

__all__ = ["made_outline"]

_BY_PARAMETER = {
    "overrides": "setting", "metrics": "metric", "row": "row", "beside": "column", "task": "task", "tasks": "task",
    "grid": "grid",
}
_BY_METAVAR = {"GRID": "grid", "RECIPE": "recipe"}


def made_outline(group: LazyGroup) -> dict[str, Any]:
    """The outline of all commands of `vlpbench`: help, parameters, commands below; and words by kind."""
    registry = load_registry()
    commands = {name: _command(one) for name, one in _below(group).items()}
    return {"commands": commands, "words": _words(registry), "grids": _grids(registry)}


def _command(command: click.Command) -> dict[str, Any]:
    found: dict[str, Any] = {
        "help": command.get_short_help_str(100), "params": [_param(one) for one in command.params],
    }
    if isinstance(command, click.Group):
        found["commands"] = {name: _command(one) for name, one in _below(command).items()}
    return found


def _below(group: click.Group) -> Mapping[str, click.Command]:
    if isinstance(group, LazyGroup):
        return {name: group.load(name) for name in group.homes}
    return group.commands


def _param(param: click.Parameter) -> dict[str, Any]:
    kind = _BY_PARAMETER.get(param.name or "") or _BY_METAVAR.get((param.metavar or "").strip("[]"), "")
    found: dict[str, Any] = {"name": param.name, "nargs": param.nargs, "words": kind, "multiple": param.multiple}
    if isinstance(param.type, click.Choice):
        found["choices"] = list(param.type.choices)
    elif isinstance(param.type, click.Path):
        found["path"] = "file" if param.type.file_okay else "dir"
    if isinstance(param, click.Option):
        found |= {"opts": list(param.opts), "is_flag": param.is_flag, "help": param.help}
    return found


def _words(registry: Registry) -> dict[str, list[str]]:
    known = registry.known()
    return {
        "grid": registry.names("grid"), "recipe": registry.names("recipe"), "task": list(known.tasks),
        "column": list(BESIDE), "setting": sorted(_settings(known)),
        "metric": list(dict.fromkeys(metric for metrics in SHOWN.values() for metric in metrics)),
    }


def _grids(registry: Registry) -> dict[str, str]:
    """The file of each grid that has a name: its rows are completed from it."""
    return {name: str(registry.grid(name)) for name in registry.names("grid")}


def _settings(known: Known) -> Iterator[str]:
    """Every key that -S can say, but those of data sets, whose names are free."""
    yield from ("seeds", *TOP)
    for table, cls in SECTIONS.items():
        yield from (f"{table}.{key}" for key in fields_of(cls))
    for task in known.tasks:
        yield from (f"protocol.{task}.{key}" for key in fields_of(Protocol))
    for table, classes in (("objective", known.objectives), ("trunk", known.trunks)):
        for name, cls in classes.items():
            yield from (f"{table}.{name}.{key}" for key in fields_of(cls))
