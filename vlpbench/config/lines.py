"""On which line of a TOML file a key stands (the standard reader does not say)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Path", "find_lines", "line_of", "parts_of"]

Path = tuple[str | int, ...]
"""The way to a key: names, and numbers (from 0) inside an array of tables."""

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*"
_HEADER = re.compile(rf"^\s*(\[\[?){_KEY}\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(rf"^{_KEY}=")


def parts_of(key: str) -> tuple[str, ...]:
    """The parts of a dotted key, quoted or not: `optim."lr"` and `"optim.lr"` are both (optim, lr)."""
    bare = [part.strip().strip("\"'") for part in re.findall(_PART, key)]
    return tuple(piece for part in bare for piece in part.split("."))


def find_lines(text: str) -> Mapping[Path, int]:
    """The line number (from 1) of each key and table header of a TOML file; the first one where a key repeats."""
    lines: dict[Path, int] = {}
    for number, path in _keys(text):
        for end in range(1, len(path) + 1):
            lines.setdefault(path[:end], number)
    return lines


def _keys(text: str) -> Iterator[tuple[int, Path]]:
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _table(parts_of(header[2]), header[1] == "[[", counts)
            yield number, table
        elif assignment := _ASSIGNMENT.match(line):
            yield number, (*table, *parts_of(assignment[1]))


def _table(parts: Sequence[str], is_array: bool, counts: dict[Path, int]) -> Path:
    """The path of a table header; a header of an array of tables opens its next element."""
    path: Path = ()
    for at, part in enumerate(parts):
        path = (*path, part)
        if is_array and at == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def line_of(lines: Mapping[Path, int], path: Sequence[str | int]) -> int | None:
    """The line of a key, or of the nearest table around it that has one."""
    for end in range(len(path), 0, -1):
        if tuple(path[:end]) in lines:
            return lines[tuple(path[:end])]
    return None
