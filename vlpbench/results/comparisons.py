"""Rows of a table beside one of them: paired by seed, tested, and corrected for how many comparisons there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vlpbench.errors import UserError, unknown
from vlpbench.results.best import best_of
from vlpbench.results.example_pairs import ExamplePairs
from vlpbench.results.pairing import Measured, Pairs, Place, measured, paired
from vlpbench.results.statistics import (
    Finding,
    Target,
    holm,
    mcnemar,
    paired_bootstrap,
    paired_over_both,
    paired_over_seeds,
    probability_of_improvement,
    sign_flip,
)

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Comparison", "compare_with", "compare_with_best", "corrected_together", "family_size"]


Array = NDArray[np.float64]


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
    """The same after Holm's correction over all comparisons of the call that have a p (`family_size`)."""
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

    is_with_best: bool = False
    """Whether the other row is the best of its grid, picked by these very scores."""
    better: str = "higher"
    """Which way is better: higher or lower."""

    @property
    def is_tested(self) -> bool:
        """Whether there is a p."""
        return self.corrected == self.corrected

    def is_significant(self, alpha: float) -> bool:
        """Whether the corrected p is below alpha."""
        return self.corrected < alpha

    def is_worse(self, alpha: float) -> bool:
        """Whether the row is significantly worse than the other; lower is better for some metrics."""
        is_below = self.difference > 0 if self.better == "lower" else self.difference < 0
        return is_below and self.is_significant(alpha)


def compare_with(
    results: Results, baseline: str, metrics: Sequence[tuple[str, str]], target: Target = "seeds", alpha: float = 0.05
) -> list[Comparison]:
    """Every row of each grid that has the baseline, beside it, in each (task, metric); one Holm family.

    Intervals have 1 - alpha. Left out: blind rows, which are floors; rows that cannot have the task; metrics that are
    no scores. UserError where no grid has the baseline.
    """
    places = measured(results, metrics)
    known = dict.fromkeys([*(row for order in results.orders for row in order.rows), *results.frame["row"]])
    if baseline not in known:
        raise unknown("row", baseline, known, "--baseline")
    sides = [(place, rows[baseline], rows) for place, rows in places.items() if baseline in rows]
    return corrected_together(_compared(results, sides, target, alpha))


def compare_with_best(
    results: Results, metrics: Sequence[tuple[str, str]], target: Target = "seeds", alpha: float = 0.05
) -> list[Comparison]:
    """Every row beside the best of its grid in each (task, metric), by the mean over seeds; one Holm family.

    Whoever picks the best by the scores that it is tested with has looked at all pairs of rows, and all pairs are what
    is corrected for: else, of 12 equal rows, one would be called worse up to three times as often as alpha says. Of
    rows that tie, the first stands for all. Left out are the same as in `compare_with`.
    """
    sides = []
    for place, rows in measured(results, metrics).items():
        first = best_of(rows)[:1]
        sides += [(place, rows[row], rows) for row in first]
    found = [replace(one, is_with_best=True) for one in _compared(results, sides, target, alpha)]
    return corrected_together(found)


def corrected_together(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same with the p of each corrected over all of them."""
    ps = [one.p for one in comparisons]
    corrected = holm(ps, family_size(comparisons) - sum(p == p for p in ps))
    return [replace(one, corrected=p) for one, p in zip(comparisons, corrected, strict=True)]


def family_size(comparisons: Iterable[Comparison]) -> int:
    """How many comparisons are corrected for: those that have a p, and where the best was picked all pairs of rows."""
    beside: Counter[tuple[str, ...]] = Counter()
    for one in comparisons:
        if one.p == one.p:
            beside[one.grid, one.task, one.metric, one.other, "best" * one.is_with_best] += 1
    return sum(many * (many + 1) // 2 if place[-1] else many for place, many in beside.items())


def _compared(
    results: Results, sides: Iterable[tuple[Place, Measured, Mapping[str, Measured]]], target: Target, alpha: float
) -> list[Comparison]:
    """All comparisons of a table, none corrected."""
    examples = ExamplePairs(results)
    return [
        _comparison(place, row, other, _Asked(target, 1 - alpha, examples))
        for place, other, rows in sides
        if other.better
        for row in rows.values()
        if row.row != other.row and row.is_possible and not row.is_blind
    ]


@dataclass(frozen=True)
class _Asked:
    """What a comparison shall be about."""

    target: Target
    level: float
    examples: ExamplePairs


def _comparison(place: Place, row: Measured, other: Measured, asked: _Asked) -> Comparison:
    pairs = paired(row, other)
    finding = _finding(place, row, other, pairs, asked)
    differences, sign = pairs.differences, -1.0 if row.better == "lower" else 1.0
    many = len(differences) > 1
    return Comparison(
        grid=place[0], row=row.row, other=other.row, task=place[1], metric=place[2], seeds=pairs.seeds,
        difference=finding.estimate, low=finding.low, high=finding.high, p=finding.p, corrected=float("nan"),
        sign_flip=sign_flip(differences) if many else float("nan"),
        improvement=probability_of_improvement(sign * differences)[0] if len(differences) else float("nan"),
        target=asked.target, method=finding.method, note="; ".join([*pairs.notes, *filter(None, [finding.note])]),
        better=row.better,
    )


def _finding(place: Place, row: Measured, other: Measured, pairs: Pairs, asked: _Asked) -> Finding:
    """Interval and test of what is asked for; without a test where there is none, and the reason in the note."""
    if not pairs.seeds:
        return _untested(pairs, asked.target, "")
    if asked.target == "seeds":
        return paired_over_seeds(pairs.differences, asked.level)
    try:
        sums, others, counts = asked.examples.of(place, row.row, other.row, pairs.seeds)
    except UserError as error:
        return _untested(pairs, asked.target, f"{error.cause}: there is a test about seeds alone")
    if asked.target == "examples":
        return _with_exact_p(paired_bootstrap(sums, others, counts, level=asked.level), sums, others, counts)
    return paired_over_both(sums, others, counts, asked.level)


def _with_exact_p(finding: Finding, sums: Array, others: Array, counts: Array) -> Finding:
    """The same with McNemar's exact p, where one run of each was right or wrong on one example an image."""
    right, wrong = max(sums.max(), others.max()), min(sums.min(), others.min())
    is_whole = np.isin(sums, (right, wrong)).all() and np.isin(others, (right, wrong)).all()
    if len(sums) > 1 or (counts != 1).any() or wrong != 0 or not is_whole:
        return finding
    p = mcnemar(int((sums > others).sum()), int((sums < others).sum()))
    return replace(finding, p=p, method=f"{finding.method}; p by McNemar's exact test")


def _untested(pairs: Pairs, target: Target, note: str) -> Finding:
    nan = float("nan")
    mean = float(pairs.differences.mean()) if pairs.seeds else nan
    return Finding(mean, nan, nan, nan, len(pairs.seeds), target, "no test", note=note)
