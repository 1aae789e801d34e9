"""Records as `vlpbench diff` reads them: whatever is there of a cell, and by what name a person means it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError, unknown
from vlpbench.files import readable
from vlpbench.records import CellFolder, cell_folders, read_predictions
from vlpbench.records.cell_folder import CURVE, PACKED
from vlpbench.results.grid_order import read_order

__all__ = ["Side", "is_grid", "named", "sides_of"]


_EXPORTED = "exported.json"


@dataclass(frozen=True)
class Side:
    """One of two cells: each part of its record that can be read; what cannot is empty, and named in `unread`."""

    path: Path
    """The cell's folder; it need not exist, as that of a pending cell."""
    planned: Mapping[str, Any]
    """What the grid says of the cell: row, seed and the reason not to run it; may be empty."""

    @cached_property
    def asked(self) -> dict[str, Any]:
        """`settings.json`: settings, seed, versions, code, fingerprints; of an exported cell, what it keeps of them."""
        return self._read("settings.json") or self._read(_EXPORTED)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """`environment.json`: libraries, hardware, commits, command."""
        return CellFolder(self.path).facts("environment")

    @cached_property
    def scores(self) -> dict[str, Any]:
        """`scores.json`; empty where the cell is not done."""
        return self._read("scores.json") if self.is_done else {}

    @cached_property
    def curve(self) -> list[dict[str, Any]]:
        """`curve.jsonl`; empty where the cell is not done."""
        try:
            rows = CellFolder(self.path).curve() if self.is_done else []
        except UserError:
            return []
        return [row for row in rows if isinstance(row, dict)]

    @cached_property
    def status(self) -> dict[str, Any]:
        """`status.json`."""
        return CellFolder(self.path).status()

    @cached_property
    def state(self) -> str:
        """pending, done, failed, damaged and the like, as the record says; or exported: settings without numbers."""
        return "exported" if (self.path / _EXPORTED).is_file() else CellFolder(self.path).state()

    @property
    def is_done(self) -> bool:
        """Whether there are numbers. Those of a damaged record are shown, too: whoever compares wants to see them."""
        return self.state in ("done", "damaged")

    @property
    def row(self) -> str:
        """The line of the table."""
        return str(self.asked.get("row", self.planned.get("row", "unknown row")))

    @property
    def seed(self) -> Any:
        """The seed, or None where it is not known."""
        return self.asked.get("seed", self.planned.get("seed"))

    @property
    def id(self) -> str:
        """The cell's id."""
        return str(self.asked.get("id", self.path.name.rpartition("-")[2]))

    @property
    def cause(self) -> str:
        """Why there are no numbers, where that is known."""
        return str(self.status.get("cause", "") or self.planned.get("reason") or "")

    @cached_property
    def unread(self) -> list[str]:
        """Files of the record that are there and cannot be read."""
        parts = {
            "settings.json": self.asked, "environment.json": self.environment, "scores.json": self._read("scores.json"),
        }
        found = [name for name, said in parts.items() if (self.path / name).is_file() and not said]
        curves = [name for name in (CURVE, PACKED) if _has_text(self.path / name)]
        return [*found, *curves] if self.is_done and not self.curve else found

    def tasks(self) -> list[str]:
        """Tasks with stored predictions, or scores of examples, by the names of their files."""
        folder = CellFolder(self.path).examples_folder
        return sorted(path.stem for path in folder.glob("*.parquet")) if self.is_done else []

    def predictions(self, task: str) -> list[dict[str, Any]]:
        """Every prediction of a task, of a compact record its score; a UserError names a file that cannot be read."""
        return read_predictions(CellFolder(self.path).examples(task))

    def plain(self) -> dict[str, Any]:
        """What the cell is, as JSON has it."""
        return {"folder": str(self.path), "grid": self.asked.get("grid"), "row": self.row, "seed": self.seed,
                "id": self.id, "state": self.state, "cause": self.cause, "unread": self.unread}

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = CellFolder(self.path).read(name)
        except UserError:
            return {}
        return found if isinstance(found, dict) else {}


def named(text: str) -> Path | Side:
    """What a person means: a results folder, or the cell `FOLDER`, `RESULTS:ID` or `RESULTS:ROW-s0`."""
    path = Path(text)
    if path.is_dir():
        if any((path / name).is_file() for name in ("settings.json", _EXPORTED)) or path.parent.name == "cells":
            return _side(path)
        if path.name == "cells":
            return path.parent
        if is_grid(path):
            return path
        raise UserError(f"{text} is neither a cell's folder nor a grid's results", remedy=_near(path))
    before, colon, which = text.rpartition(":")
    if colon and is_grid(Path(before)):
        return _chosen(Path(before), which)
    raise UserError(f"there is no {text}", remedy="name a cell's folder, a grid's results, or RESULTS:ID of a cell")


def is_grid(folder: Path) -> bool:
    """Whether a folder holds a grid's results."""
    return (folder / "cells").is_dir() or (folder / "grid.json").is_file()


def sides_of(results: Path) -> list[Side]:
    """All cells of a grid's results in the order of its rows, those that are still to be run included."""
    order = read_order(results)
    found = {cell.path.name.rpartition("-")[2]: Side(cell.path, {}) for cell in cell_folders(results)}
    for cell, said in order.cells.items():
        folder = f"{readable(str(said['row']))}-s{said['seed']}-{cell}"
        found[cell] = Side(found[cell].path if cell in found else results / "cells" / folder, said)
    rows = {row: place for place, row in enumerate(order.rows)}
    return sorted(found.values(), key=lambda one: (rows.get(one.row, len(rows)), one.row, str(one.seed), one.id))


def _has_text(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _side(folder: Path) -> Side:
    cell = folder.resolve().name.rpartition("-")[2]
    try:
        said = read_order(folder.resolve().parents[1]).cells.get(cell, {})
    except UserError:
        said = {}
    return Side(folder, said)


def _chosen(results: Path, which: str) -> Side:
    """The one cell of a grid whose id, or whose folder's name, begins so."""
    there = sides_of(results)
    found = [one for one in there if which and (one.id.startswith(which) or _short(one) == which)]
    found = found or [one for one in there if which and one.path.name.startswith(which)]
    if not found:
        raise unknown("cell", which, {_short(one) for one in there}, str(results))
    if len(found) > 1:
        raise UserError(f"{which!r} may be {len(found)} cells", str(results), f"name one of {', '.join(_names(found))}")
    return found[0]


def _short(side: Side) -> str:
    return f"{readable(side.row)}-s{side.seed}"


def _names(sides: Sequence[Side]) -> list[str]:
    return [side.path.name for side in sides]


def _near(folder: Path) -> str:
    """The results that are inside a folder, if there are any."""
    inside = sorted(str(path) for path in folder.glob("*") if is_grid(path))
    return f"did you mean {inside[0]}?" if inside else "name a cell's folder, a grid's results, or RESULTS:ID of a cell"
