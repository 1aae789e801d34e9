"""What the records said of a frame when it was exported: the notes of its tables, which the frame alone cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["KeptNotes", "Said", "kept"]

Said = Literal["protocol", "gaps", "brief"]
"""Which function of `notes` said it: `protocol_notes`, `gap_notes`, `protocol_in_brief`."""


@dataclass(frozen=True)
class KeptNotes:
    """Sentences of one grid."""

    grid: str
    """Name of the grid."""
    cells: tuple[str, ...]
    """Ids of the cells that they are about: of a table that lacks one of them they may not be true."""
    tasks: tuple[str, ...]
    """Tasks that they tell of."""
    protocol: tuple[str, ...]
    """What pretraining saw, and how each task was learnt, chosen and measured."""
    gaps: tuple[str, ...]
    """What numbers may not be trusted without."""
    brief: tuple[str, ...]
    """The protocol in a caption's words."""


def kept(results: Results, which: Said) -> list[str]:
    """The sentences that are about cells and tasks of these results; behind their grid's name where there are several.

    A table of all cells has those of its tasks. One of fewer cells has none: how the rest was made is not told here.
    """
    if not results.kept_notes:
        return []
    frame = results.frame
    there, many = set(zip(frame["grid"], frame["cell"], strict=True)), len(results.orders) > 1
    tasks, found = set(frame["task"]), []
    for one in results.kept_notes:
        if there.issuperset((one.grid, cell) for cell in one.cells):
            absent = tuple(f"{task}{behind}" for task in one.tasks if task not in tasks for behind in (": ", " "))
            before = f"{one.grid}: " if many else ""
            found += [f"{before}{line}" for line in getattr(one, which) if not (absent and line.startswith(absent))]
    return found
