"""The records of one results folder, each read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError, nearest
from vlpbench.records import SCHEMA, CellFolder, cell_folders
from vlpbench.results.grid_order import GridOrder, read_order

__all__ = ["DAMAGED", "GridFolder", "Record", "read_folder"]

DAMAGED = "a file of the record is missing or changed"


@dataclass(frozen=True)
class Record:
    """What one cell left behind."""

    order: GridOrder
    """What its grid said."""
    cell: CellFolder
    """Where it is."""
    asked: Mapping[str, Any]
    """The content of `settings.json`."""
    state: str
    """Of the cell."""
    reason: str
    """Why it is not done; empty where nothing is known."""
    scores: Mapping[str, Any]
    """The content of `scores.json`; empty unless the cell is done."""

    @property
    def id(self) -> str:
        """The cell's id."""
        return str(self.asked["id"])

    @property
    def line(self) -> tuple[str, int]:
        """Row and seed."""
        return self.asked["row"], self.asked["seed"]


@dataclass(frozen=True)
class GridFolder:
    """A results folder."""

    path: Path
    """As it was named."""
    order: GridOrder
    """What the grid said, with what its records say of published numbers."""
    records: tuple[Record, ...]
    """Of all cells that the grid has, by name of their folder."""
    unreadable: frozenset[str]
    """Ids of cells whose settings cannot be read."""


def read_folder(path: Path) -> GridFolder:
    """All that lies in a results folder; UserError where there is no record, or one of a version to come."""
    order, cells = read_order(path), list(cell_folders(path))
    if not cells and not order.cells:
        raise UserError(f"there are no records in {path}", remedy=_remedy(path))
    records, unreadable = [], set()
    for cell in cells:
        try:
            asked = cell.read("settings.json")
        except UserError:
            if not order.cells:
                raise
            unreadable.add(cell.path.name.rpartition("-")[2])  # the grid's own file tells of it
            continue
        if not order.cells or order.cells.get(asked["id"], {}).get("row") == asked["row"]:
            records.append(_record(order, cell, asked))  # else its grid no longer has it, or under another name
    return GridFolder(path, order.with_published(one.asked for one in records), tuple(records), frozenset(unreadable))


def _record(order: GridOrder, cell: CellFolder, asked: Mapping[str, Any]) -> Record:
    schema = asked.get("schema", 1)
    if schema > SCHEMA:
        raise UserError(f"the record has schema {schema}, and this vlpbench knows {SCHEMA}", str(cell.path),
                        "read it with the vlpbench that wrote it, or a later one")
    state = cell.state()
    if state == "done":
        return Record(order, cell, asked, state, "", cell.read("scores.json"))
    reason = cell.status().get("cause", "") or {"damaged": DAMAGED}.get(state, "")
    return Record(order, cell, asked, state, reason, {})


def _remedy(folder: Path) -> str:
    """The results folder that was probably meant: one inside or around, or the one beside it called most like it."""
    around = next((one for one in folder.absolute().parents if (one / "grid.json").is_file()), None)
    if around:
        return f"did you mean {around}?"
    if folder.is_file():
        return f"name a results folder, or what Results.export wrote: {folder.name} is a file"
    inside = sorted({one.parent.parent for one in folder.glob("*/cells/*")})
    beside = {one.parent.parent.name for one in folder.parent.glob("*/cells/*")}
    near = nearest(folder.name, sorted(beside))
    meant = inside[0] if inside else folder.parent / near if near else None
    return f"did you mean {meant}?" if meant else "run a grid first"
