"""What makes the lines and columns of a table: the grids' named rows, or the values of settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from vlpbench.results.shown_metrics import check_metrics, in_order, scores_of
from vlpbench.results.spreads import Place, Spread, Spreads, spreads_of
from vlpbench.results.tables.asked import Asked

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Layout", "Score", "named_rows", "scores_shown"]

Score = tuple[str, str]
"""Task and metric."""


@dataclass(frozen=True)
class Layout:
    """Which cells stand where. A place is a line and a column of settings ("" where no settings make columns)."""

    head: str
    """Head of the lines' names."""
    lines: tuple[str, ...]
    """What the lines are called, in order."""
    across: tuple[str, ...]
    """What the columns that settings make are called, in order; only "" where there are none."""
    scores: tuple[Score, ...]
    """Tasks and metrics, in order."""
    cells: Mapping[tuple[str, str], Place]
    """Grid and id of each cell -> where it stands."""
    spreads: Spreads
    """Means and spreads by place."""
    rows: Mapping[Place, Place]
    """Place -> grid and row, where it holds the whole of one: only such places are compared."""
    shown: Results
    """All cells of the table."""
    parts: Mapping[str, Results]
    """Column of settings -> the cells in it: what stands in one column is compared."""
    values: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    """Place -> the values of the settings that make lines, then of those that make columns, as text."""
    notes: tuple[str, ...] = ()
    """What must be said of lines that are missing."""

    def spread(self, line: str, across: str, score: Score) -> Spread | None:
        """What stands at a place; None for nothing."""
        return self.spreads.of((line, across), *score)

    def counts(self) -> Counter[tuple[int, int]]:
        """(n, wanted) of every place and metric that has a value -> how many have it."""
        every = (self.spread(*place, score) for place in product(self.lines, self.across) for score in self.scores)
        return Counter((one.n, one.wanted) for one in every if one and one.n)

    def usual_n(self) -> int:
        """The most seeds of a place that lacks none; where all lack some, the most that are wanted; 0 without any."""
        counts = self.counts()
        return max((had for had, wanted in counts if had == wanted), default=max((one for _, one in counts), default=0))


def named_rows(results: Results, asked: Asked) -> Layout:
    """The grids' rows in their order; each has its grid before it where there are several."""
    frame, many = results.frame, len(results.orders) > 1
    grids, lines, ids = (frame[name].tolist() for name in ("grid", "row", "cell"))
    names = [(f"{grid}: {row}" if many else row, "") for grid, row in zip(grids, lines, strict=True)]
    found = spreads_of(frame, names)
    there = dict(zip(names, zip(grids, lines, strict=True), strict=True))
    planned = [(f"{order.name}: {row}" if many else row, "") for order in results.orders for row in order.rows]
    rows = {place: there[place] for place in in_order(planned, there)}
    cells = dict(zip(zip(grids, ids, strict=True), names, strict=True))
    scores = scores_shown(results, found, asked)
    return Layout("row", tuple(line for line, _ in rows), ("",), scores, cells, found, rows, results, {"": results})


def scores_shown(results: Results, found: Spreads, asked: Asked) -> tuple[Score, ...]:
    """Tasks and metrics that are shown, in the order of the grids' tasks."""
    metrics = asked.metrics or None
    check_metrics(results, metrics)
    return tuple(scores_of(results, found, metrics))
