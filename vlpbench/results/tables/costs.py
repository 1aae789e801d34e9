"""What lines are made of and what they cost, counted and not guessed: beside the scores, and as a table of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vlpbench.errors import unknown
from vlpbench.results.beside import BESIDE, column_of
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.entries import NOTHING, beside_entry
from vlpbench.results.tables.layout import Layout
from vlpbench.results.tables.model import Column, Entry, Line

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["COSTS", "beside_columns", "beside_entries", "cost_table"]

COSTS = ("parameters", "image_tokens", "samples", "target_tokens", "flops", "seconds", "device")
"""The columns of the table of costs."""


def cost_table(results: Results, layout: Layout) -> tuple[tuple[Column, ...], tuple[Line, ...]]:
    """One line for each that has a finished cell: means over its finished cells, where they differ at all."""
    done = results.frame[results.frame["status"] == "done"]
    found = _entries(done, layout, COSTS)
    return _columns(COSTS), tuple(Line(name, found[name]) for name in layout.lines if name in found)


def beside_columns(results: Results, asked: Asked) -> tuple[Column, ...]:
    """Heads of what stands right after the lines' names; UserError for a column that there is not."""
    return _columns(_beside(results, asked))


def beside_entries(results: Results, layout: Layout, asked: Asked) -> dict[str, tuple[Entry, ...]]:
    """Line -> what stands beside its scores."""
    names = _beside(results, asked)
    found = _entries(results.frame, layout, names) if names else {}
    return {line: found.get(line, (NOTHING,) * len(names)) for line in layout.lines}


def _beside(results: Results, asked: Asked) -> list[str]:
    """What is asked for; else what the grids say, as far as there is such a column.

    Not where settings make columns: what a line is made of would be a mean over things that differ.
    """
    for name in asked.beside or ():
        if name not in BESIDE:
            raise unknown("column", name, BESIDE, "--beside")
    said: Sequence[str] = asked.beside or ()
    if asked.beside is None and not asked.columns:
        said = [name for order in results.orders for name in order.beside]
    return [name for name in dict.fromkeys(said) if name in BESIDE]


def _columns(names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(BESIDE[name].head, kind="text" if BESIDE[name].is_text else "score") for name in names)


def _entries(frame: pd.DataFrame, layout: Layout, names: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
    """Line -> its entries, of the lines that have a cell in the frame."""
    cells = frame.drop_duplicates(["grid", "cell"])
    positions: dict[str, list[int]] = {}
    for at, one in enumerate(zip(cells["grid"], cells["cell"], strict=True)):
        if one in layout.cells:
            positions.setdefault(layout.cells[one][0], []).append(at)
    columns: Mapping[str, pd.Series] = {name: cells[column_of(name)] for name in names}
    return {
        line: tuple(beside_entry(column.iloc[mine], name) for name, column in columns.items())
        for line, mine in positions.items()
    }
