"""A grid file, read: what every row shares, what each changes, and where each key stands for later messages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlpbench.config.keys import Layer
from vlpbench.config.lines import parts_of
from vlpbench.config.problems import GridError, Problem, Report

__all__ = ["BESIDE", "SCHEMA", "GridFile", "Row", "parse_file", "plugins_of"]

SCHEMA = 1
"""The version of the form of grid files that this package reads."""

BESIDE = (
    "parameters", "image_tokens", "samples", "target_tokens", "flops", "seconds", "hours", "pairs_per_second",
    "tflops", "objective", "stem", "trunk", "size", "device",
)
"""Columns of the frame that `beside` can name; `vlpbench.results.beside` says how each is printed."""


@dataclass(frozen=True)
class Row:
    """One named line of an ablation table: what it changes."""

    name: str
    """What the table calls it; empty if the file gives none."""
    changes: Layer
    """Its settings, by dotted key."""
    published: Mapping[str, float] = field(default_factory=dict)
    """Published numbers by `task.metric`, printed beside ours."""
    number: int = 0
    """Which row of the file it is, from 0."""


@dataclass(frozen=True)
class GridFile:
    """What a grid file says, overrides included. Values are checked as far as the known names allow."""

    path: Path
    """The file."""
    name: str
    """What its results folder is called."""
    description: str
    """One sentence for `grid list`."""
    plugins: tuple[str, ...]
    """Files (relative to this one) and distributions it needs."""
    base: Layer
    """What all rows share."""
    axes: Mapping[str, tuple[Any, ...]]
    """Settings whose values are multiplied with the rows."""
    rows: tuple[Row, ...]
    """Named changes; none means one row that is the base."""
    exclude: tuple[Layer, ...]
    """Settings (or `row`, `seed`) that, where all of them match, leave a cell out."""
    seeds: tuple[int, ...]
    """Each row is run once a seed; equal seeds are paired."""
    reference: str
    """The row whose model is tested blind; empty for the first that pretrains."""
    floors: bool
    """Whether blind rows are added."""
    overrides: Layer
    """What the command line said over all rows."""
    data_root: str = ""
    """`data.root`: the folder that data sets are relative to, where the file or the command line says it."""
    beside: tuple[str, ...] = ()
    """Columns of the frame that tables show beside the scores."""
    typed: frozenset[str] = frozenset()
    """Keys of the header and of the axes that the command line replaced."""
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, repr=False, compare=False)
    """Where keys stand in the file."""

    def report(self) -> Report:
        """An empty list of mistakes of this file."""
        return Report(str(self.path), self.lines)


def plugins_of(path: Path) -> tuple[str, ...]:
    """What the file says under `plugins`: to be loaded before the rest of it can be checked."""
    raw, _ = parse_file(path)
    value = raw.get("plugins", [])
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def parse_file(path: Path) -> tuple[dict[str, Any], str]:
    """The tables of a TOML file and its text; GridError with line and column if it is none."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except OSError as wrong:
        raise GridError(path.name, [Problem(str(path), f"cannot be read: {wrong.strerror or wrong}")]) from wrong
    except UnicodeDecodeError as wrong:
        raise GridError(path.name, [Problem(str(path), "is not a text in UTF-8", "save it as UTF-8")]) from wrong
    except tomllib.TOMLDecodeError as wrong:
        said = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(wrong))
        lines = text.splitlines()
        number = int(said[2] or len(lines)) if said else 0
        place = f"{path}:{number}" + (f", column {said[3]}" if said[3] else "") if said else str(path)
        what = f"is not TOML: {said[1] if said else wrong}"
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        raise GridError(path.name, [Problem(place, what, _remedy(what, line))]) from wrong


def _remedy(what: str, line: str) -> str:
    """What to write instead; a name and a table of its settings (`objective = "x"`, `[rows.objective.x]`) clash."""
    parts = parts_of(line.partition("=")[0] if "=" in line else line)
    key = next((at for at, part in enumerate(parts) if part in ("objective", "trunk", "data")), None)
    if key is None or not ("overwrite" in what or "twice" in what):
        return "texts need quotes, lists brackets; see toml.io"
    table = ".".join([*parts[key:], *([] if "=" in line else ["key"])])
    return f'write "{table}" = value, in quotes, in the table that says {parts[key]} = ...'
