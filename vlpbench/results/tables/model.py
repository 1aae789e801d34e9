"""A table as data: heads, lines and entries that know their numbers, and what must be said under them.

Each format (`markdown`, `latex`, `html`, `styled`) writes the same table; none looks at results again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["Column", "Entry", "Line", "Table"]


@dataclass(frozen=True)
class Entry:
    """One place of a table, in the unit and scale of print."""

    value: float | None = None
    """The number; None where there is a text instead."""
    spread: float | None = None
    """What stands behind ±; None for none."""
    decimals: int = 1
    """Digits behind the point."""
    seeds: tuple[int, int] | None = None
    """(had, wanted), printed where they differ."""
    tells_n: bool = False
    """Whether n is printed even where it is what was wanted: other lines have another."""
    text: str = ""
    """Instead of a number, as it is to be read: "n/a: needs decode", "failed", "–"."""
    is_best: bool = False
    """Printed bold."""
    mark: str = ""
    """Behind the number: "*" for a significant difference, "†" for a row of which cells failed."""


@dataclass(frozen=True)
class Column:
    """A column's head."""

    name: str
    """What it holds: "acc.", "CIDEr ×100", "Δ", "published", "parameters (M)"."""
    group: str = ""
    """What several columns share, printed over them: the task, or a setting's value; empty for none."""
    kind: Literal["score", "difference", "published", "text"] = "score"
    """How it is to be read, set and sorted: all but texts hold numbers."""


@dataclass(frozen=True)
class Line:
    """A line of the table."""

    name: str
    """What it is called."""
    entries: tuple[Entry, ...]
    """One a column."""
    kind: Literal["row", "floor"] = "row"
    """A row of the grid, or what stands under the rows: chance, majority."""


@dataclass(frozen=True)
class Table:
    """All that a format needs."""

    columns: tuple[Column, ...]
    """Heads."""
    lines: tuple[Line, ...]
    """Rows in the grid's order, then floors."""
    head: str = "row"
    """Head of the lines' names."""
    caption: str = ""
    """Sentences for a paper: what varies, n, what ± means, test and correction, protocol, split rule."""
    notes: tuple[str, ...] = ()
    """One sentence each: what must be said under the table wherever it is printed."""
    details: frozenset[str] = frozenset()
    """Those of the notes that a paper need not print: LaTeX has them in comments, for its author."""
    label: str = "tab:results"
    """What LaTeX refers to it by."""

    def for_screen(self) -> Table:
        """The same without the caption: its notes say it all."""
        return replace(self, caption="")
