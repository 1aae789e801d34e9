"""The entries of a table: numbers in the scale of print, or the words that stand where there is no number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vlpbench.results.beside import BESIDE
from vlpbench.results.comparisons import Comparison
from vlpbench.results.metric_names import factor
from vlpbench.results.spreads import Spread, half_interval
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.entry_text import MISSING
from vlpbench.results.tables.model import Entry

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FAILED", "NOTHING", "SIGNIFICANT", "beside_entry", "difference_entry", "number", "p_entry", "score_entry"]

NOTHING = Entry(text=MISSING)
"""Where there is nothing to say."""

FAILED = "†"
"""Marks a place of which cells failed."""

SIGNIFICANT = "*"
"""Marks a difference that is significant."""

_LEAST_P = 0.001
"""Smaller p are printed as less than this."""


def score_entry(spread: Spread | None, metric: str, asked: Asked, is_best: bool = False) -> Entry:
    """Mean and spread, and n where it is not what was wanted; without any value what became of the cells."""
    if spread is None:
        return NOTHING
    mark = FAILED if spread.bad else ""
    if not spread.n:
        instead = {"n/a": spread.reason or "n/a", "done": "none" if spread.reason else NOTHING.text}
        text = instead.get(spread.status, spread.status)
        return Entry(text=text, mark=mark if spread.status in ("pending", "n/a") else "")
    kinds = {"std": spread.std, "interval": half_interval(spread, 1 - asked.alpha), "none": math.nan}
    behind = kinds[asked.spread] * factor(metric)
    return Entry(
        spread.mean * factor(metric), None if math.isnan(behind) else behind, asked.decimals, (spread.n, spread.wanted),
        is_best=is_best, mark=mark,
    )


def difference_entry(one: Comparison | None, asked: Asked) -> Entry:
    """The mean difference, marked where it is significant; nothing where nothing was paired."""
    if one is None or math.isnan(one.difference):
        return NOTHING
    mark = SIGNIFICANT if one.is_significant(asked.alpha) else ""
    return Entry(one.difference * factor(one.metric), decimals=asked.decimals, mark=mark)


def number(value: float | None, decimals: int) -> Entry:
    """A plain number; nothing for none and NaN."""
    return NOTHING if value is None or math.isnan(value) else Entry(value, decimals=decimals)


def p_entry(p: float) -> Entry:
    """A p with three digits, or that it is below a thousandth."""
    return Entry(text=f"<{_LEAST_P:g}") if p < _LEAST_P else number(p, 3)


def beside_entry(values: pd.Series, name: str) -> Entry:
    """What some cells say in a column of `BESIDE`, one value a cell: their mean where it is a number."""
    column, there = BESIDE[name], values.dropna()
    if there.empty:
        return NOTHING
    if column.is_text:
        return Entry(text=", ".join(sorted({str(one) for one in there})) or NOTHING.text)
    value = float(there.astype(float).mean()) / column.unit
    if column.unit > 1 and 0 < value < 0.1:  # two digits that count
        return Entry(value, decimals=1 - math.floor(math.log10(value)))
    return Entry(value, decimals=column.decimals)
