"""Extra metrics of plugins: measured on a task's rows behind the suite's own, beside them, never in their place.

One that raises, or gives something else than a number for each row, costs its own value and nothing more.
Axes: N rows.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from vlpbench.tasks.extra import Extra
from vlpbench.tasks.task import Row
from vlpbench.tasks.trial import Scores

__all__ = ["NotMeasured", "add_extras", "measured"]


class NotMeasured(Exception):
    """An extra metric has no values; the message says why."""


def add_extras(extras: Sequence[Extra], rows: Sequence[Row], scores: Scores) -> None:
    """Measure `rows` once more: adds means and reasons to `scores`, and each row's own value to it.

    None says nothing about a row: it is left out of the mean. No metric sees the values of another.
    """
    given = [{key: value for key, value in row.items() if key not in {one.name for one in extras}} for row in rows]
    for extra in extras:
        try:
            values = measured(extra, given)
        except NotMeasured as wrong:
            scores.values[extra.name], scores.reasons[extra.name] = None, str(wrong)
            for row in rows:
                row.pop(extra.name, None)
            continue
        known = [value for value in values if value is not None]
        scores.values[extra.name] = math.fsum(known) / len(known) if known else None
        if not known:
            scores.reasons[extra.name] = f"it says nothing about any of {len(values):,} rows"
        scores.extras[extra.name] = extra.told(values)
        for row, value in zip(rows, values, strict=True):
            row[extra.name] = value


def measured(extra: Extra, rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
    """N: the metric's numbers for copies of these rows; NotMeasured where it has none."""
    if extra.metric is None:
        raise NotMeasured(extra.why_not)
    copies = [{key: list(value) if isinstance(value, list) else value for key, value in row.items()} for row in rows]
    try:
        with contextlib.redirect_stdout(sys.stderr):  # results alone go to stdout
            found = extra.metric().values(copies)
            values = list(found)
    except (Exception, SystemExit) as wrong:
        raise NotMeasured(f"{_who(extra)} raised {type(wrong).__name__}: {wrong}".rstrip(": ")) from wrong
    if isinstance(found, str | bytes | Mapping):
        raise NotMeasured(f"{_who(extra)} returned a {type(found).__name__}, not one number for each row")
    if len(values) != len(rows):
        raise NotMeasured(f"{_who(extra)} returned {len(values):,} numbers for {len(rows):,} rows")
    return [_number(extra, at, value) for at, value in enumerate(values)]


def _number(extra: Extra, at: int, value: Any) -> float | None:
    """One row's number as Python has it."""
    if value is None:
        return None
    if not isinstance(value, Real | np.bool_):
        raise NotMeasured(f"{_who(extra)} returned {repr(value)[:60]} for row {at}, which is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NotMeasured(f"{_who(extra)} returned {number} for row {at}; what it says nothing about is None")
    return number


def _who(extra: Extra) -> str:
    origin = extra.origin
    return f"values() of plugin {origin.plugin!r} ({origin})" if origin else f"values() of {extra.name!r}"
