"""What tests say of a table's places: which are bold, and how far each is from the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlpbench.errors import UserError, unknown
from vlpbench.results.best import best_rows, not_worse
from vlpbench.results.comparisons import Comparison, compare_with, compare_with_best, corrected_together
from vlpbench.results.spreads import Place
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.layout import Layout, Score
from vlpbench.results.tables.selection import narrowed

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Spot", "Verdicts", "verdicts_of"]

Spot = tuple[str, str, str, str]
"""Line, column of settings, task and metric."""

_Tagged = tuple[str, Comparison]
"""Column of settings, and a comparison in it."""


@dataclass(frozen=True)
class Verdicts:
    """All that tests say of a table."""

    best: frozenset[Spot] = frozenset()
    """Places in bold."""
    with_best: tuple[Comparison, ...] = ()
    """What that rests on, one Holm family; none where the best alone is bold."""
    deltas: Mapping[Spot, Comparison] = field(default_factory=dict)
    """Place -> its comparison with the baseline, all one Holm family."""
    baselines: tuple[str, ...] = ()
    """The lines that differences are taken to; none where there are no differences."""


def verdicts_of(layout: Layout, asked: Asked) -> Verdicts:
    """Test what is asked for: nothing where no place holds a whole row, since then there are no seeds to pair."""
    scores = [score for score in layout.scores if score[1]]
    baselines = _baselines(layout, asked)
    if not scores or asked.what == "cost":
        return Verdicts()
    best, with_best = _best(layout, scores, asked)
    return Verdicts(best, with_best, _deltas(layout, scores, baselines, asked),
                    tuple(dict.fromkeys(line for line, _ in baselines)))


def _best(layout: Layout, scores: Sequence[Score], asked: Asked) -> tuple[frozenset[Spot], tuple[Comparison, ...]]:
    """The best of each column, and all that are not significantly worse; one that nothing stands beside is not bold."""
    if asked.bold == "none" or asked.what != "scores" or not layout.rows:
        return frozenset(), ()
    tagged: list[_Tagged] = []
    if asked.bold == "significant":
        for across, part in layout.parts.items():
            tagged += [(across, one) for one in compare_with_best(part, scores, asked.target, asked.alpha)]
        tagged = _one_family(tagged)
    found = set()
    for across, part in layout.parts.items():
        names = {row: line for (line, column), row in layout.rows.items() if column == across}
        mine = [one for column, one in tagged if column == across]
        for (grid, task, metric), rows in not_worse(best_rows(part, scores), mine, asked.alpha).items():
            there = [line for (one, _), line in names.items() if one == grid]
            values = [layout.spread(line, across, (task, metric)) for line in there]
            if sum(1 for one in values if one and one.n) > 1:
                found |= {(names[grid, row], across, task, metric) for row in rows if (grid, row) in names}
    return frozenset(found), tuple(one for _, one in tagged)


def _baselines(layout: Layout, asked: Asked) -> list[Place]:
    """The places that differences are taken to, at most one in each column of settings and grid."""
    if asked.baseline == "" or (asked.baseline is None and asked.is_pivot):
        return []
    if asked.baseline is None:
        said = {(order.name, order.reference) for part in layout.parts.values() for order in part.orders}
        return [place for place, row in layout.rows.items() if row in said]
    if asked.is_pivot:
        found = [place for place in layout.rows if place[0] == asked.baseline]
        known: Sequence[str] = layout.lines
    else:
        found = [place for place, row in layout.rows.items() if asked.baseline in (place[0], row[1])]
        known = list(dict.fromkeys([*(row for _, row in layout.rows.values()), *layout.lines]))
    if not layout.rows:
        raise UserError("single seeds are no rows: they have no differences", "--baseline",
                        "take seed out of --rows and --columns, or leave the baseline out")
    if not found:
        raise unknown("line" if asked.is_pivot else "row", asked.baseline, known, "--baseline")
    return found


def _deltas(
    layout: Layout, scores: Sequence[Score], baselines: Sequence[Place], asked: Asked
) -> dict[Spot, Comparison]:
    """Every place beside its baseline."""
    tagged: list[_Tagged] = []
    for line, across in baselines:
        grid, row = layout.rows[line, across]
        part = _of_grid(layout.parts[across], grid)
        tagged += [(across, one) for one in compare_with(part, row, scores, asked.target, asked.alpha)]
    names = {(across, *row): line for (line, across), row in layout.rows.items()}
    return {
        (names[across, one.grid, one.row], across, one.task, one.metric): one
        for across, one in (_one_family(tagged) if len(baselines) > 1 else tagged)
        if (across, one.grid, one.row) in names
    }


def _of_grid(part: Results, grid: str) -> Results:
    return narrowed(part, part.frame[part.frame["grid"] == grid]) if len(part.orders) > 1 else part


def _one_family(tagged: Sequence[_Tagged]) -> list[_Tagged]:
    """The same, corrected together: a table is one family, however many calls its comparisons come from."""
    corrected = corrected_together([one for _, one in tagged])
    return [(across, one) for (across, _), one in zip(tagged, corrected, strict=True)]
