"""The cells that a table is of, and every cell's settings as text, pending cells included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError, nearest, unknown
from vlpbench.results.tables.asked import Asked

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["CELL", "check_setting", "narrowed", "selected", "settings_of", "value_text"]

CELL = ("grid", "row", "cell", "seed")
"""What identifies a cell, beside its settings."""

_OF_FRAME = ("objective", "stem", "trunk", "size", "blind", "device")
"""Columns of the frame that are settings, too: an exported frame has no records."""


def selected(results: Results, asked: Asked) -> Results:
    """The results with those cells and tasks alone that are asked for; UserError for a name that there is not."""
    frame = results.frame
    tasks = dict.fromkeys([*(task for order in results.orders for task in order.tasks), *frame["task"]])
    for task in asked.tasks:
        if task not in tasks:
            raise unknown("task", task, tasks, "--task")
    if asked.tasks:
        frame = frame[frame["task"].isin(asked.tasks)]
    if asked.where:
        frame = _cells_where(results, frame, asked.where)
    return results if frame is results.frame else narrowed(results, frame)


def _cells_where(results: Results, frame: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    cells = kept = settings_of(results)
    for key, value in where.items():
        check_setting(key, kept, "--where")
        wanted = value if isinstance(value, str) else value_text(value)
        texts = dict.fromkeys(value_text(cell[key]) for cell in cells)
        if not any(_is_same(text, wanted) for text in texts):
            raise unknown(f"value of {key}", wanted, texts, "--where")
        kept = [cell for cell in kept if _is_same(value_text(cell[key]), wanted)]
    if not kept:
        told = ", ".join(f"{key}={value}" for key, value in where.items())
        raise UserError(f"no cell has {told}", "--where", "some cell has each of them, none has all: leave one out")
    ids = {(cell["grid"], cell["cell"]) for cell in kept}
    return frame[[key in ids for key in zip(frame["grid"], frame["cell"], strict=True)]]


def narrowed(results: Results, frame: pd.DataFrame) -> Results:
    """The same with fewer lines of the frame: records and orders say no more than it does."""
    cells = set(zip(frame["grid"], frame["cell"], strict=True))
    rows, tasks = set(zip(frame["grid"], frame["row"], strict=True)), set(frame["task"])
    orders = tuple(
        replace(
            order, rows=tuple(row for row in order.rows if (order.name, row) in rows),
            tasks=tuple(task for task in order.tasks if task in tasks),
            published={row: one for row, one in order.published.items() if (order.name, row) in rows},
        )
        for order in results.orders if order.name in set(frame["grid"])
    )
    held = tuple(one for one in results.held if (one.order.name, one.id) in cells)
    return replace(results, frame=frame, orders=orders, held=held)


def settings_of(results: Results) -> list[dict[str, Any]]:
    """Grid, row, cell, seed, and every setting of each cell, in the order of the grids' rows; all have the same keys.

    A cell that has not begun differs from its row's others in its seed alone, so it has theirs; in a row that has not
    begun all settings are None.
    """
    frame = results.settings().drop(columns=["status"])
    told = results.frame.drop_duplicates(["grid", "cell"])[list(_OF_FRAME)].astype(object).to_dict("records")
    cells = frame.astype(object).where(frame.notna(), None).to_dict("records")
    found: list[dict[str, Any]] = []
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for cell, beside in zip(cells, told, strict=True):  # both have the frame's order of cells
        line = {str(key): value for key, value in cell.items()}
        for name, value in beside.items():
            if line.get(str(name)) is None:
                line[str(name)] = None if value != value else value
        found.append(line)
        if line["objective"] is not None:
            first.setdefault((line["grid"], line["row"]), line)
    for line in found:
        if line["objective"] is None:
            line.update({**first.get((line["grid"], line["row"]), {}), **{name: line[name] for name in CELL}})
    order = [(one.name, row) for one in results.orders for row in one.rows]
    places = {place: at for at, place in enumerate(order)}
    return sorted(found, key=lambda line: (places.get((line["grid"], line["row"]), len(places)), line["seed"]))


def check_setting(key: str, cells: Sequence[Mapping[str, Any]], place: str) -> None:
    """UserError for a setting that no cell has: the nearest, and those that tell cells apart."""
    known = [name for name in cells[0] if name != "cell"] if cells else []
    if key not in known:
        near = nearest(key, known)
        apart = [name for name in known if len({value_text(one[name]) for one in cells}) > 1]
        guess = f"did you mean {near!r}? " if near else ""
        listed = ", ".join(apart) or "none"
        raise UserError(f"unknown setting {key!r}", place, f"{guess}those that differ here: {listed}")


def value_text(value: Any) -> str:
    """What a setting's value is called: true, 0.001, 32000; a dash for what a cell does not have."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = str(int(value)) if value.is_integer() else f"{value:g}"
        return short if float(short) == value else repr(value)  # values that differ are called differently
    return str(value)


def _is_same(text: str, asked: str) -> bool:
    """Whether a value is the one that was typed: 1e-3 is 0.001."""
    if text == asked:
        return True
    try:
        return float(text) == float(asked)
    except ValueError:
        return text.lower() == asked.lower()
