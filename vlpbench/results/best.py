"""Which rows are best in a metric, and which are not significantly worse: what a table prints in bold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from vlpbench.results.pairing import Measured, Place, measured

if TYPE_CHECKING:
    from vlpbench.results.comparisons import Comparison
    from vlpbench.results.frame import Results

__all__ = ["best_of", "best_rows", "not_worse"]


def best_of(rows: Mapping[str, Measured]) -> list[str]:
    """The best rows by the mean over the seeds each has, ties included; none where the metric is no score.

    Never the best are blind rows, which are floors, and a row of one seed beside rows of several: one lucky run would
    be what all others are held against, and nothing could be tested.
    """
    direction = next((row.better for row in rows.values()), "")
    least = min(2, max((len(row.scores) for row in rows.values() if not row.is_blind), default=0))
    means = {name: row.mean for name, row in rows.items() if row.scores and not row.is_blind}
    means = {name: mean for name, mean in means.items() if len(rows[name].scores) >= least}
    if not direction or not means:
        return []
    top = max(means.values()) if direction == "higher" else min(means.values())
    return [name for name, mean in means.items() if math.isclose(mean, top, rel_tol=1e-9, abs_tol=1e-12)]


def best_rows(results: Results, metrics: Sequence[tuple[str, str]]) -> dict[Place, list[str]]:
    """The best rows of each grid in each (task, metric), ties included."""
    found = {place: best_of(rows) for place, rows in measured(results, metrics).items()}
    return {place: rows for place, rows in found.items() if rows}


def not_worse(
    best: Mapping[Place, Sequence[str]], comparisons: Iterable[Comparison], alpha: float
) -> dict[Place, set[str]]:
    """The best rows, and those that were tested against the best and are not significantly worse.

    `best` is of `best_rows`, `comparisons` of `compare_with_best`. A row without a test joins only if it ties.
    """
    found = {place: set(rows) for place, rows in best.items()}
    for one in comparisons:
        if one.is_tested and not one.is_worse(alpha):
            found.setdefault((one.grid, one.task, one.metric), set()).add(one.row)
    return found
