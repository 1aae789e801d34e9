"""What somebody wants a table to show; `vlpbench report table` and `Results.table` take the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from vlpbench.errors import UserError, unknown
from vlpbench.results.statistics import Target

__all__ = ["Asked", "Bold", "Spread", "What"]

What = Literal["scores", "differences", "cost"]
Bold = Literal["significant", "best", "none"]
Spread = Literal["std", "interval", "none"]


@dataclass(frozen=True)
class Asked:
    """All choices of a table, with what is taken where nothing is said."""

    what: What = "scores"
    """Scores; each row's differences to the baseline with intervals and tests; or what each row cost."""
    rows: tuple[str, ...] = ()
    """Settings that make the lines (`objective`, `optim.lr`, ...); none: the grid's named rows in their order."""
    columns: tuple[str, ...] = ()
    """Settings that make columns beside tasks and metrics; none: tasks and metrics alone."""
    tasks: tuple[str, ...] = ()
    """Only these; none: all."""
    metrics: tuple[str, ...] = ()
    """Only these; none: the usual ones of each task."""
    where: Mapping[str, Any] = field(default_factory=dict)
    """Setting -> the value it must have, as it is or as text: only such cells."""
    beside: tuple[str, ...] | None = None
    """Columns right after the row's name; None: those of the grid, but none where settings make columns."""
    baseline: str | None = None
    """The row that differences are taken to; None: the grid's `reference`, if it names one; "": none.

    Where settings make the lines: what one of them is called; None: none.
    """
    target: Target = "seeds"
    """What intervals and tests are about."""
    alpha: float = 0.05
    """Level of all tests; intervals have 1 - alpha."""
    bold: Bold = "significant"
    """The best and all that are not significantly worse; the best alone; none."""
    spread: Spread = "std"
    """What stands behind a mean: standard deviation over seeds, half an interval, nothing."""
    decimals: int = 1
    """Digits behind the point of a score in print."""

    def __post_init__(self) -> None:
        for name, kind in (("what", What), ("target", Target), ("bold", Bold), ("spread", Spread)):
            if getattr(self, name) not in get_args(kind):
                raise unknown(name, str(getattr(self, name)), get_args(kind))
        if not 0 < self.alpha < 1:
            raise UserError(f"a level of {self.alpha:g} is no level of a test", "alpha", "take 0.05, or 0.01")
        if not 0 <= self.decimals <= 6:
            raise UserError(f"{self.decimals} digits behind the point", "decimals", "take 0 to 6")

    @property
    def is_pivot(self) -> bool:
        """Whether settings make lines or columns."""
        return bool(self.rows or self.columns)
