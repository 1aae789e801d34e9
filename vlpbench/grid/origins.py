"""Where each setting of a cell comes from: a default, a recipe, the base, an axis, its row, or the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vlpbench.config.gridfile import GridFile
from vlpbench.config.keys import PARTS
from vlpbench.config.known import backbone_parts
from vlpbench.config.layers import layer_of
from vlpbench.errors import UserError
from vlpbench.grid.cells import Cell
from vlpbench.grid.drafts import Draft, Told, drafts
from vlpbench.registry import Registry

__all__ = ["origins"]


def origins(grid: GridFile, registry: Registry, cell: Cell) -> list[tuple[str, Any, str]]:
    """Each setting of a cell of this grid: dotted key, plain value, and where it came from.

    The order is that of `vlpbench/config/settings.py`; stem, trunk and size follow `backbone` where they come from
    different places. The last column reads "default", "base, line 12", "row 'x', line 30", "axis, line 8", "-S",
    "recipe simvlm-base (row 'x', line 3)" or "blind row". Raises UserError where the cell is not of this grid.
    """
    draft = _draft(grid, registry, cell)
    found = []
    for key, value in layer_of(cell.settings).items():
        if key == "seed":
            found.append((key, value, _header(grid, "seeds")))
        elif key == "tasks":
            found.append((key, value, _tasks(grid, draft, cell)))
        elif key == "backbone":
            found.extend(_backbone(grid, draft.layers, value))
        elif key == "blind" and value and not draft.settings.blind:
            found.append((key, value, "blind row"))
        else:
            found.append((key, value, _origin(grid, draft.layers, _names(key))))
    return found


def _draft(grid: GridFile, registry: Registry, cell: Cell) -> Draft:
    """The draft that a cell was made of; a blind cell's is its reference row's."""
    for draft in drafts(grid, registry.known(), grid.report()):
        twin = cell.settings.blind and not draft.settings.blind
        if draft.seed == cell.seed and cell.row == (f"{draft.row}, blind" if twin else draft.row):
            return draft
    raise UserError(f"{grid.name} has no cell {cell.row!r} with seed {cell.seed}", str(grid.path))


def _names(key: str) -> tuple[str, ...]:
    """The keys that may have said a setting, the one that wins first: `protocol.vqa` holds for `vqa@fused` too."""
    path = key.split(".")
    if path[0] != "protocol" or "@" not in path[1]:
        return (key,)
    return key, ".".join([path[0], path[1].partition("@")[0], *path[2:]])


def _origin(grid: GridFile, layers: Sequence[Told], names: Sequence[str]) -> str:
    for name in names:
        for told in reversed(layers):
            if any(_overlap(name, one) for one in told.layer):
                return _said(grid, told, name)
    return "default"


def _overlap(name: str, other: str) -> bool:
    """Whether two keys are one, or one of them an entry of the other, a table (`objective` is no table)."""
    short, long = sorted((name, other), key=len)
    return short == long or ("." in short and long.startswith(f"{short}."))


def _said(grid: GridFile, told: Told, key: str) -> str:
    """Who said a key, and on which line."""
    place = _place(grid, told, "recipe" if told.recipe else key)
    return f"recipe {told.recipe} ({place})" if told.recipe else place


def _place(grid: GridFile, told: Told, key: str) -> str:
    if told.who == "axis" and key in grid.typed:
        return "-S"
    parts = tuple(key.split("."))
    for end in range(len(parts), 0, -1):
        for start in told.paths:
            if (*start, *parts[:end]) in grid.lines:
                return f"{told.who}, line {grid.lines[(*start, *parts[:end])]}"
    return told.who


def _header(grid: GridFile, key: str) -> str:
    if key in grid.typed:
        return "-S"
    line = grid.lines.get((key,))
    return f"{key}, line {line}" if line else "default"


def _tasks(grid: GridFile, draft: Draft, cell: Cell) -> str:
    if cell.settings.tasks != draft.settings.tasks:
        return "blind row"
    said = _origin(grid, draft.layers, ("tasks",))
    return "-S" if "tasks" in grid.typed and said.startswith("base") else said


def _backbone(grid: GridFile, layers: Sequence[Told], value: str) -> Iterator[tuple[str, Any, str]]:
    """One line where all parts come from one place, and one more for each part otherwise."""
    parts = {part: _part(grid, layers, part) for part in PARTS}
    if len(set(parts.values())) == 1:
        yield "backbone", value, parts["stem"]
        return
    yield "backbone", value, _origin(grid, layers, ("backbone",))
    for (part, where), name in zip(parts.items(), backbone_parts(value), strict=True):
        yield part, name, where


def _part(grid: GridFile, layers: Sequence[Told], part: str) -> str:
    for told in reversed(layers):
        for key in (part, "backbone"):
            if key in told.layer:
                return _said(grid, told, key)
    return "default"
