"""What somebody wants to know of the seeds and images that a gap needs; `vlpbench report power` takes the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vlpbench.errors import UserError

__all__ = ["GAPS", "PowerAsked"]

GAPS = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Gaps that are looked at where none are named, in the unit of print: mostly points of a percentage."""


@dataclass(frozen=True)
class PowerAsked:
    """All choices, with what is taken where nothing is said; UserError for numbers that mean nothing."""

    baseline: str | None = None
    """Row that the others are held against; None: the grid's reference, else its first row."""
    metrics: tuple[str, ...] = ()
    """Only these; none: the usual ones of each task."""
    gaps: tuple[float, ...] = GAPS
    """Gaps to look at, in the unit of print."""
    alpha: float = 0.05
    """Level of a table's tests, all together."""
    power: float = 0.8
    """How likely a gap shall be found."""
    comparisons: int | None = None
    """Of the table, for Holm's correction; None: every row in every metric."""

    def __post_init__(self) -> None:
        for place, value in {"--alpha": self.alpha, "--power": self.power}.items():
            if not 0 < value < 1:
                raise UserError(f"{value:g} is no share", place, "give a number between 0 and 1")
        if self.power <= self.alpha:
            raise UserError(f"a power of {self.power:g} is had by chance at alpha {self.alpha:g}", "--power",
                            "0.8 is usual")
        if self.comparisons is not None and self.comparisons < 1:
            raise UserError(f"a table has no {self.comparisons} comparisons", "--comparisons", "give 1 or more")
        for gap in self.gaps:
            if not 0 < gap < math.inf:
                raise UserError(f"nobody can look for a gap of {gap:g}", "--gap", "give numbers above 0")
