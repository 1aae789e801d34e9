"""Which stored predictions of two cells differ, and the first that does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vlpbench.errors import UserError
from vlpbench.results.difference_curves import apart
from vlpbench.results.difference_records import Side

__all__ = ["Predicted", "predicted"]

_NAMES = ("question_id", "direction", "fold", "query", "image_id", "text", "question")
"""Columns that say what a row of predictions is about."""

_ANSWERS = ("prediction", "found", "rank")
"""Columns that hold the answer itself; the others are scores of it or beside it."""


@dataclass(frozen=True)
class Predicted:
    """The stored predictions of one task."""

    task: str
    """The task, as its file is called."""
    rows: tuple[int, int] = (0, 0)
    """Rows in A and in B."""
    differ: int = 0
    """Rows of both that differ in any column that both have."""
    answers: int = 0
    """Those that differ in the answer itself."""
    first: Mapping[str, Any] | None = None
    """The first of them: what it is about."""
    columns: Mapping[str, tuple[Any, Any]] | None = None
    """What differs in it, in A and in B; the answer first."""
    unread: str = ""
    """Why they cannot be compared."""

    @property
    def is_equal(self) -> bool:
        """Whether both are there, and the same."""
        return not self.differ and self.rows[0] == self.rows[1] and not self.unread


def predicted(task: str, a: Side, b: Side) -> Predicted:
    """The rows of one task, each beside the one about the same."""
    if task not in a.tasks() or task not in b.tasks():
        return Predicted(task, unread=f"only in {'A' if task in a.tasks() else 'B'}")
    try:
        rows, others = a.predictions(task), b.predictions(task)
    except UserError as wrong:
        return Predicted(task, unread=wrong.cause)
    shared = {key for row in rows[:1] for key in row} & {key for row in others[:1] for key in row}
    names = [key for key in _NAMES if key in shared]
    mates = {_about(row, names): row for row in others}
    pairs = [(row, mates[_about(row, names)]) for row in rows if _about(row, names) in mates]
    differing = [pair for pair in pairs if _differ(*pair, shared)]
    answers = [pair for pair in differing if _differ(*pair, shared.intersection(_ANSWERS))]
    if not differing:
        lacking = "" if len(pairs) == len(rows) == len(others) else f"{len(pairs)} rows are about the same, and equal"
        return Predicted(task, (len(rows), len(others)), unread=lacking)
    row, mate = (answers or differing)[0]
    first = {key: row[key] for key in names if row[key] is not None}
    columns = {key: (row[key], mate[key]) for key in apart(row, mate, _ANSWERS) if _differ(row, mate, {key} & shared)}
    return Predicted(task, (len(rows), len(others)), len(differing), len(answers), first, columns)


def _differ(row: Mapping[str, Any], mate: Mapping[str, Any], keys: Collection[str]) -> bool:
    """Whether two rows differ in any of these columns; what is not a number equals itself."""
    return any(row[key] != mate[key] and repr(row[key]) != repr(mate[key]) for key in keys)


def _about(row: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row[key]) for key in names)
