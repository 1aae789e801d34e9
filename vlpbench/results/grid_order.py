"""What a grid said of itself when it was run: the order of its rows and tasks, and its cells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
    beside: tuple[str, ...] = ()
    """Columns that the table shows beside the scores, by the frame's names."""
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Row -> `task.metric` -> the number that a paper prints."""
    reference: str = ""
    """The row that the others are held against, where the grid's file names one."""

    def with_published(self, records: Iterable[Mapping[str, Any]]) -> GridOrder:
        """The same, with what the records of cells (the content of `settings.json`) say of published numbers, too."""
        there = {one["row"]: one["published"] for one in records if one.get("published")}
        return replace(self, published={**there, **self.published})


def read_order(folder: Path) -> GridOrder:
    """Read `grid.json` of a results folder; an empty order where there is none."""
    path = folder / "grid.json"
    if not path.is_file():
        return GridOrder(folder.name)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return GridOrder(
            said["name"], said["description"], tuple(said["rows"]), tuple(said["tasks"]), dict(said["cells"]),
            tuple(said.get("beside", ())), {row: dict(one) for row, one in said.get("published", {}).items()},
            str(said.get("reference", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"cannot read the grid's order: {error}", str(path), "run the grid again") from error
