"""Scores as aligned columns for people: two decimals, a dash where there is no number."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

__all__ = ["columns", "number", "said"]

Cell = float | int | str | None
WIDTH = 100


def number(value: Cell) -> str:
    """A score with two decimals, a count as it is, a dash for none."""
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def columns(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Rows under a head, the first column to the left, the others to the right."""
    cells = [list(head), *([printable(str(row[0])), *map(number, row[1:])] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    lines = []
    for row in cells:
        first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join([first, *(cell.strip().rjust(len(cell)) for cell in others)]))
    return "\n".join(line.rstrip() for line in lines)


def printable(text: str) -> str:
    """A name out of a file on one line: line breaks and what else would move the cursor as escapes."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def said(notes: Sequence[str]) -> str:
    """The sentences under a table."""
    lines = (fill(note, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False) for note in notes)
    return "".join(f"\n{line}" for line in lines)
