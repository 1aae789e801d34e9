"""Rows of a table beside one of them: paired by seed, tested, and corrected for how many comparisons there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlpbench.results.statistics import Target

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Comparison", "compare_with", "compare_with_best"]


@dataclass(frozen=True)
class Comparison:
    """One row beside another, in one task and metric; numbers on the frame's scale, differences are row minus other."""

    grid: str
    """Name of the grid."""
    row: str
    """The row."""
    other: str
    """The row it is held against."""
    task: str
    """The task."""
    metric: str
    """The metric."""
    seeds: tuple[int, ...]
    """Seeds that both have a value of: the pairs."""
    difference: float
    """Mean over these seeds."""
    low: float
    """Lower end of the interval of the difference."""
    high: float
    """Upper end."""
    p: float
    """Two-sided p of no difference, uncorrected; NaN where there is no test."""
    corrected: float
    """The same after Holm's correction over all comparisons of the call that have a p."""
    sign_flip: float
    """Exact two-sided sign-flip p over seeds, uncorrected; NaN where there are none."""
    improvement: float
    """Share of the pairs in which the row is better, a tie being half."""
    target: Target
    """What interval and p are about."""
    method: str
    """How they were had."""
    note: str
    """What they cannot carry at this n."""

    def is_significant(self, alpha: float) -> bool:
        """Whether the corrected p is below alpha."""
        return self.corrected < alpha


def compare_with(
    results: Results, baseline: str, metrics: Sequence[tuple[str, str]], target: Target = "seeds"
) -> list[Comparison]:
    """Every row of each grid that has the baseline, beside it, in each (task, metric); one Holm family."""
    raise NotImplementedError


def compare_with_best(
    results: Results, metrics: Sequence[tuple[str, str]], target: Target = "seeds"
) -> list[Comparison]:
    """Every row beside the best of its grid in each (task, metric), by the mean over seeds; one Holm family."""
    raise NotImplementedError
