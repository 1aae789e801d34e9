"""What a grid said of itself when it was run: the order of its rows and tasks, and its cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError

__all__ = ["GridOrder", "read_order"]


@dataclass(frozen=True)
class GridOrder:
    """The content of `grid.json`."""

    name: str = ""
    """Name of the grid."""
    description: str = ""
    """What it asks, in a sentence."""
    rows: tuple[str, ...] = ()
    """Lines of the table, in order."""
    tasks: tuple[str, ...] = ()
    """Tasks, in order."""
    cells: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Cell id -> row, seed and the reason not to run it, or None."""


def read_order(folder: Path) -> GridOrder:
    """Read `grid.json` of a results folder; an empty order where there is none."""
    path = folder / "grid.json"
    if not path.is_file():
        return GridOrder(folder.name)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return GridOrder(
            said["name"], said["description"], tuple(said["rows"]), tuple(said["tasks"]), dict(said["cells"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read the grid's order: {error}", str(path), "run the grid again") from error
