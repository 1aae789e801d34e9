"""What somebody wants to know of a published ablation; `vlpbench report reproduction` takes the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vlpbench.errors import UserError

__all__ = ["ReproductionAsked"]


@dataclass(frozen=True)
class ReproductionAsked:
    """All choices, with what is taken where nothing is said; UserError for numbers that mean nothing."""

    baseline: str | None = None
    """Row that the others are held against; None: the grid's reference, else its first row with a published number."""
    metrics: tuple[str, ...] = ()
    """Only published numbers of these; none: of all."""
    margin: float | None = None
    """An interval within so much of zero, to both sides, shows that there is no such difference; in the unit of print;
    None: nothing is said of it."""
    alpha: float = 0.05
    """Intervals have 1 - alpha; a star stands where p under Holm is below it."""
    power: float = 0.8
    """How likely the smallest difference that the design sees is found."""

    def __post_init__(self) -> None:
        for place, value in {"--alpha": self.alpha, "--power": self.power}.items():
            if not 0 < value < 1:
                raise UserError(f"{value:g} is no share", place, "give a number between 0 and 1")
        if self.power <= self.alpha:
            raise UserError(f"a power of {self.power:g} is had by chance at alpha {self.alpha:g}", "--power",
                            "0.8 is usual")
        if self.margin is not None and not 0 < self.margin < math.inf:
            raise UserError(f"a margin of {self.margin:g} means nothing", "--margin", "give points above 0")
