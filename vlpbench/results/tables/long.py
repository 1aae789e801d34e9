"""A table for programs: one line a place, task and metric, with everything that the printed one rests on."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from vlpbench.results.comparisons import Comparison
from vlpbench.results.published import published_by_column
from vlpbench.results.spreads import Place, half_interval
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.entry_text import heads
from vlpbench.results.tables.layout import Layout
from vlpbench.results.tables.model import Table
from vlpbench.results.tables.verdicts import Verdicts

if TYPE_CHECKING:
    import pandas as pd
__all__ = ["long_scores", "long_table"]

_NAN = float("nan")

_TESTED = ("difference", "low", "high", "p", "corrected", "sign_flip", "improvement")
"""Fields of a comparison."""


def long_scores(layout: Layout, verdicts: Verdicts, asked: Asked) -> pd.DataFrame:
    """Numbers on the frame's scale, unrounded; NaN where there are none.

    Named rows have grid and row; lines of settings a column for each setting (as text) instead. Then task, metric,
    mean, std (n - 1), interval (half of it), n, wanted, failed, published, status, reason, how it was measured,
    is_best, and of the comparison with the baseline its name, difference, low, high, p, corrected, sign_flip,
    improvement, note.
    """
    import pandas as pd

    published = {} if asked.is_pivot else published_by_column(layout.shown.orders, asked.metrics or None)
    lines = []
    for place, score in itertools.product(itertools.product(layout.lines, layout.across), layout.scores):
        spread = layout.spread(*place, score)
        if spread is None:
            continue
        lines.append({
            **_names(layout, place, asked), "task": score[0], "metric": score[1], "mean": spread.mean,
            "std": spread.std, "interval": half_interval(spread, 1 - asked.alpha), "n": spread.n,
            "wanted": spread.wanted, "failed": len(spread.bad),
            "published": published.get(score, {}).get(layout.rows.get(place, ("", "")), _NAN),
            "status": spread.status, "reason": spread.reason, **spread.how,
            "is_best": (*place, *score) in verdicts.best, **_compared(verdicts.deltas.get((*place, *score))),
        })
    return pd.DataFrame(lines)


def long_table(table: Table) -> pd.DataFrame:
    """A table as it is, its numbers unrounded and its texts as they are."""
    import pandas as pd

    values = [[entry.text if entry.value is None else entry.value for entry in line.entries] for line in table.lines]
    found = pd.DataFrame(values, columns=heads(table), dtype=object)
    found.insert(0, table.head, [line.name for line in table.lines])
    return found.infer_objects()


def _names(layout: Layout, place: Place, asked: Asked) -> dict[str, str]:
    """What tells a line apart."""
    if not asked.is_pivot:
        return dict(zip(("grid", "row"), layout.rows[place], strict=True))
    return dict(zip((*asked.rows, *asked.columns), layout.values[place], strict=True))


def _compared(one: Comparison | None) -> dict[str, Any]:
    if one is None:
        return {"baseline": "", **dict.fromkeys(_TESTED, _NAN), "note": ""}
    return {"baseline": one.other, **{name: getattr(one, name) for name in _TESTED}, "note": one.note}
