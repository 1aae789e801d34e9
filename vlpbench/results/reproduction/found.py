"""A published column beside ours, as data; numbers in the unit of print (caption scores times 100)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vlpbench.results.agreement import Agreement
from vlpbench.results.reproduction.signs import Signs, counted_signs
from vlpbench.results.reproduction.verdict import Verdict, is_within, verdict

__all__ = ["Compared", "Reproduction"]


@dataclass(frozen=True)
class Compared:
    """One row beside the baseline, published and ours. NaN where there is no such number."""

    row: str
    """The row."""
    published: float
    """Difference of the two published numbers, as precise as they are printed."""
    difference: float
    """Ours: the mean over paired seeds."""
    low: float
    """Lower end of its t interval (1 - alpha, of this comparison alone)."""
    high: float
    """Upper end."""
    wide_low: float
    """Lower end of the simultaneous interval: 1 - alpha for all comparisons together (Bonferroni)."""
    wide_high: float
    """Upper end."""
    p: float
    """Two-sided, of a paired t test."""
    corrected: float
    """The same after Holm's correction over all comparisons."""
    sign_flip: float
    """Exact two-sided sign-flip p, uncorrected."""
    seeds: tuple[int, ...]
    """That both rows have a score of: the pairs."""
    missing: tuple[int, ...]
    """That some row of the column has or shall have, and this pair has not."""
    smallest: float
    """Least difference that an interval of so many pairs leaves zero out for, with the power asked for, by this pair's
    own spread between seeds."""
    smallest_corrected: float
    """The same for the smallest p of all: Holm's first step."""
    note: str = ""
    """What became of seeds that are missing, and what cannot be said."""

    @property
    def verdict(self) -> Verdict:
        """By the rule."""
        return verdict(self.published, self.low, self.high)

    def is_within(self, margin: float | None) -> bool:
        """Whether a difference as large as the margin is ruled out."""
        return is_within(margin, self.low, self.high)

    def is_significant(self, alpha: float) -> bool:
        """Whether p under Holm is below alpha."""
        return self.corrected < alpha


@dataclass(frozen=True)
class Reproduction:
    """One grid's rows in one published column."""

    grid: str
    """Name of the grid."""
    description: str
    """What it asks, in a sentence."""
    task: str
    """The task."""
    metric: str
    """The metric."""
    baseline: str
    """Row that the others are held against."""
    rows: tuple[Compared, ...]
    """All others with a published number, in the grid's order."""
    decimals: int
    """Digits behind the point of the published numbers."""
    comparisons: int
    """That are corrected for: all of the call, those without a p included, since they were planned."""
    agreement: Agreement
    """Our order of rows beside the published one, the baseline among them."""
    alpha: float
    """Level of tests and intervals."""
    power: float
    """Of the smallest differences."""
    margin: float | None
    """As asked."""

    @property
    def digits(self) -> int:
        """Behind the point of our numbers: as many as are published, and one at least."""
        return max(1, self.decimals)

    @property
    def signs(self) -> Signs:
        """How many published signs appear."""
        return counted_signs((one.published, one.difference, one.verdict) for one in self.rows)

    @property
    def incomplete(self) -> tuple[Compared, ...]:
        """Rows that lack some seed."""
        return tuple(one for one in self.rows if one.missing)

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds of any pair, had or missing, ascending."""
        return tuple(sorted({seed for one in self.rows for seed in (*one.seeds, *one.missing)}))

    def largest_smallest(self, corrected: bool = False) -> tuple[float, str]:
        """The smallest difference that is seen in every row alike, and the row that it is due to; NaN without any."""
        found = [(one.smallest_corrected if corrected else one.smallest, one.row) for one in self.rows]
        return max((one for one in found if math.isfinite(one[0])), default=(math.nan, ""))
