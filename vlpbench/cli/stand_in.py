"""Light commands that stand in for the real ones while a shell completes: same names and options, nothing behind them.

They are made from the outline that lies in the cache folder; it is made anew when a command or a plugin changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from vlpbench import __version__
from vlpbench.data.folders import cache_folder
from vlpbench.files import write_json

__all__ = ["VARIABLE", "is_completing", "outline_of", "stand_in"]

VARIABLE = "_VLPBENCH_COMPLETE"
"""What a shell sets when it asks for completions."""

Outline = Mapping[str, Any]


def is_completing() -> bool:
    """Whether a shell asks what could be typed."""
    return VARIABLE in os.environ


def outline_of(group: click.Group) -> Outline:
    """The outline of all commands: from the cache folder, or made and put there."""
    path = cache_folder() / f"completion-{_state()}.json"
    try:
        found: Outline = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = importlib.import_module("vlpbench.cli.outline").made_outline(group)
        with contextlib.suppress(OSError):  # a cache that cannot be written makes completion slow, not broken
            for old in path.parent.glob("completion-*.json"):
                old.unlink(missing_ok=True)
            write_json(path, found)
    return found


def _state() -> str:
    """Changes when the commands, the built-in grids or the installed plugins do."""
    package = Path(__file__).parents[1]
    rooms = [package / name for name in ("cli", "config", "grids", "recipes")]
    files = [path.stat() for room in rooms for path in sorted(room.glob("*.[pt]*"))]
    plugins = sorted(
        f"{point.value} {point.dist.version if point.dist else ''}" for point in entry_points(group="vlpbench")
    )
    said = [__version__, str(package), *(f"{one.st_mtime_ns} {one.st_size}" for one in files), *plugins]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def stand_in(name: str, told: Outline, outline: Outline) -> click.Command:
    """The command of a name; a group has its commands."""
    params = [_param(one, outline) for one in told["params"]]
    if "commands" not in told:
        return click.Command(name, params=params, help=told["help"])
    below = {each: stand_in(each, one, outline) for each, one in told["commands"].items()}
    return click.Group(name, below, params=params, help=told["help"])


def _param(told: Mapping[str, Any], outline: Outline) -> click.Parameter:
    more: dict[str, Any] = {"type": _type(told), "nargs": told["nargs"]}
    if told["words"]:
        more["shell_complete"] = _completer(told["words"], outline)
    if "opts" not in told:
        return click.Argument([told["name"]], required=False, **more)
    if told["is_flag"]:
        return click.Option([*told["opts"], told["name"]], is_flag=True, help=told["help"])
    return click.Option([*told["opts"], told["name"]], multiple=told["multiple"], help=told["help"], **more)


def _type(told: Mapping[str, Any]) -> click.ParamType[Any] | None:
    if "choices" in told:
        return click.Choice(told["choices"])
    if "path" in told:
        return click.Path(file_okay=told["path"] == "file", dir_okay=told["path"] == "dir")
    return None


def _completer(kind: str, outline: Outline) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What a shell offers for an unfinished word of a kind."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, begun = incomplete.rpartition(",") if kind == "column" else ("", "", incomplete)
        words = _rows(context, outline) if kind == "row" else outline["words"][kind]
        if kind == "grid":
            words = [*words, *_files(incomplete)]
        found = [CompletionItem(f"{before}{comma}{word}") for word in words if word.startswith(begun)]
        return found or ([CompletionItem(incomplete, type="file")] if kind == "grid" else [])

    return complete


def _files(begun: str) -> list[str]:
    """Grid files in the folder that is being typed."""
    folder = begun.rpartition("/")[0]
    place = Path(folder or ("/" if begun.startswith("/") else "."))
    start = begun[: begun.rfind("/") + 1]
    return sorted(f"{start}{path.name}" for path in place.glob("*.toml")) if place.is_dir() else []


def _rows(context: click.Context, outline: Outline) -> list[str]:
    """The named rows of the grid that stands on the line; names that a shell would have to quote are left out."""
    left = [word for word in context.args if not word.startswith("-")]  # what click put aside at the unfinished option
    said = str(context.params.get("grid") or next(iter(left), "demo"))
    path = Path(outline["grids"].get(said, said))
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("rows", [])
    except (OSError, ValueError):  # a line that is half typed need not name a grid yet
        return []
    names = [str(row.get("name", "")) for row in rows if isinstance(row, dict)]
    return [name for name in names if re.fullmatch(r"[\w.@+-]+", name)]
