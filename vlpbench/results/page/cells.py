"""What became of every cell of a page: done, failed, n/a or pending, and why."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["STATES", "CellLine", "Overview", "cell_lines", "overviews", "states"]

STATES: Mapping[str, str] = {
    "done": "✓", "pending": "·", "n/a": "–", "failed": "✗", "timeout": "✗", "damaged": "!",
}
"""What can have become of a cell, each with the sign that stands for it: colour alone would not do."""

_LONGEST = 4_000
"""Characters of a reason that a page has."""


@dataclass(frozen=True)
class CellLine:
    """One cell, whether it has run or not."""

    anchor: str
    """Its name within the page."""
    grid: str
    """Name of its grid."""
    row: str
    """Line of the table."""
    seed: int
    """Its seed."""
    cell: str
    """Its id."""
    status: str
    """One of `STATES`; a finished cell is done, even if some task could not be."""
    reason: str
    """Why it is not done, or which tasks could not be."""
    seconds: float | None
    """Wall time of its stages."""
    device: str
    """Device's model."""
    folder: str
    """Name of the record's folder; empty where there is none."""


@dataclass(frozen=True)
class Overview:
    """The cells of one grid at a glance: rows x seeds."""

    grid: str
    """Name of the grid."""
    seeds: tuple[int, ...]
    """All seeds of the grid, ascending."""
    rows: tuple[tuple[str, tuple[CellLine | None, ...]], ...]
    """Each row with its cell of each seed; None where the grid has none."""
    states: Mapping[str, int]
    """How many cells are in which state, by the order of `STATES`."""


def cell_lines(results: Results) -> list[CellLine]:
    """Every cell once: grids as named, rows in the grid's order, seeds ascending."""
    records = {(one.order.name, one.id): one for one in results.held}
    finished, left_out = _finished(results)
    found = []
    first = results.frame.drop_duplicates(["grid", "cell"])
    columns = ["grid", "cell", "row", "seed", "status", "reason", "seconds", "device"]
    for grid, cell, row, seed, status, reason, seconds, device in first[columns].itertuples(index=False):
        is_done = (grid, cell) in finished
        why = "; ".join(left_out.get((grid, cell), ())) if is_done else _text(reason)
        record = records.get((grid, cell))
        found.append(CellLine(
            "", grid, row, int(seed), cell, "done" if is_done else status, _in_part(why), _number(seconds),
            _text(device), record.cell.path.name if record else "",
        ))
    return [replace(one, anchor=f"cell-{at}") for at, one in enumerate(_ordered(results, found))]


def overviews(results: Results, lines: Sequence[CellLine]) -> list[Overview]:
    """One a grid."""
    found = []
    for order in results.orders:
        mine = [one for one in lines if one.grid == order.name]
        seeds = tuple(sorted({one.seed for one in mine}))
        rows = tuple(dict.fromkeys(one.row for one in mine))
        at = {(one.row, one.seed): one for one in mine}
        cells = tuple((row, tuple(at.get((row, seed)) for seed in seeds)) for row in rows)
        found.append(Overview(order.name, seeds, cells, states(mine)))
    return found


def states(lines: Sequence[CellLine]) -> dict[str, int]:
    """How many cells are in which state; states that no cell is in are left out."""
    counts = Counter(one.status for one in lines)
    return {state: counts[state] for state in (*STATES, *counts) if counts[state]}


def _ordered(results: Results, lines: Sequence[CellLine]) -> list[CellLine]:
    rows = ((order.name, row) for order in results.orders for row in order.rows)
    places = {row: at for at, row in enumerate(rows)}
    return sorted(lines, key=lambda one: (places.get((one.grid, one.row), len(places)), one.grid, one.row, one.seed))


def _finished(results: Results) -> tuple[set[tuple[str, str]], dict[tuple[str, str], list[str]]]:
    """(grid, cell) of what is done, and the tasks that each cell could not have, with the reason."""
    frame = results.frame
    done = frame.loc[frame["parameters"].notna(), ["grid", "cell"]].drop_duplicates()
    left_out: dict[tuple[str, str], list[str]] = {}
    lacking = frame.loc[frame["status"] == "n/a", ["grid", "cell", "task", "reason"]]
    for grid, cell, task, reason in lacking.itertuples(index=False):
        left_out.setdefault((grid, cell), []).append(f"{task}: {reason}")
    return set(zip(done["grid"], done["cell"], strict=True)), left_out


def _in_part(reason: str) -> str:
    """A reason, without the middle of one that would make the page heavy: the record has it whole."""
    if len(reason) <= _LONGEST:
        return reason
    half = _LONGEST // 2
    left_out = len(reason) - 2 * half
    return f"{reason[:half]} … ({left_out:,} characters left out: the record has them) … {reason[-half:]}"


def _text(value: Any) -> str:
    """A text of the frame; empty where it has none."""
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    """A number of the frame; None where it has none."""
    return None if value is None or math.isnan(value) else float(value)
