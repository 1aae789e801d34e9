"""What a plugin seems to bring, told from its files without importing them: for those that cannot be, or shall not be.

Read are the names in its classes (`name = "..."`), and the names of TOML files that come with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

__all__ = ["Guess", "guesses"]

_MOST = 200
"""Files of a package that are looked at; more than any plugin has."""

_BASES = {
    "Objective": "objective", "Stem": "stem", "Trunk": "trunk", "Dataset": "data set", "Launcher": "launcher",
    "Metric": "metric", "ReportTable": "table",
}

_FOLDERS = {"grids": "grid", "recipes": "recipe"}


@dataclass(frozen=True)
class Guess:
    """One component that a plugin seems to bring."""

    name: str
    """What a grid file would say."""
    kind: str = ""
    """What it would be; "" where its class is derived from none of vlpbench's own, or its file lies anywhere."""
    api_version: int | None = None
    """The contract it says it was written for."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


def guesses(path: Path) -> tuple[Guess, ...]:
    """What the plugin with this module seems to bring; of a package all its files count."""
    if path.name != "__init__.py":
        files: list[Path] = [path]
    else:
        files = sorted(islice((one for one in path.parent.rglob("*") if one.suffix in (".py", ".toml")), _MOST))
    found: dict[str, Guess] = {}
    for file in files:
        for one in _in_python(file) if file.suffix == ".py" else _in_toml(file):
            if one.kind or one.name not in found:
                found[one.name] = one
    return tuple(found.values())


def _in_toml(path: Path) -> Iterator[Guess]:
    if path.name != "pyproject.toml":
        yield Guess(path.stem, _FOLDERS.get(path.parent.name, ""))


def _in_python(path: Path) -> Iterator[Guess]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return  # it says nothing that could be read
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    kinds = dict(_BASES)
    for cls in classes:
        bases = [_last_word(base) for base in cls.bases]
        kind = next((kinds[base] for base in bases if base in kinds), "")
        if kind:
            kinds[cls.name] = kind  # what is derived from it is of its kind
        facts = dict(_facts(cls))
        name, api = facts.get("name"), facts.get("api_version")
        if isinstance(name, str) and bases:
            yield Guess(name, kind, api if isinstance(api, int) else None)


def _last_word(base: ast.expr) -> str:
    """Objective, of `Objective`, `plugin.Objective` and `Objective[...]`."""
    while isinstance(base, ast.Subscript):
        base = base.value
    return base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""


def _facts(cls: ast.ClassDef) -> Iterator[tuple[str, object]]:
    """Every plain value that a class's body gives a name, also `name, version = "...", 1`."""
    for node in cls.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _named(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from _named(node.target, node.value)


def _named(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, object]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, worth in zip(target.elts, value.elts, strict=False):
            yield from _named(one, worth)
    elif isinstance(target, ast.Name) and isinstance(value, ast.Constant):
        yield target.id, value.value
