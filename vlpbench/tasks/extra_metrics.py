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

__all__ = ["NotMeasured", "add_extras", "measured", "numbers"]


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
    who = f"values() of plugin {extra.origin.plugin!r} ({extra.origin})" if extra.origin else "values()"
    copies = [{key: list(value) if isinstance(value, list) else value for key, value in row.items()} for row in rows]
    try:
        with contextlib.redirect_stdout(sys.stderr):  # results alone go to stdout
            found = extra.metric().values(copies)
            return numbers(found, len(rows))
    except NotMeasured as wrong:
        raise NotMeasured(f"{who} {wrong}") from None
    except (Exception, SystemExit) as wrong:
        raise NotMeasured(f"{who} raised {type(wrong).__name__}: {wrong}".rstrip(": ")) from wrong


def numbers(found: Any, many: int) -> list[float | None]:
    """What a metric returned for so many rows as Python has it: a finite number or None each; else NotMeasured."""
    if isinstance(found, str | bytes | Mapping) or not hasattr(found, "__iter__"):
        said = "None" if found is None else f"a {type(found).__name__}"
        raise NotMeasured(f"returned {said}, not one number for each row")
    values = list(found)
    if len(values) != many:
        raise NotMeasured(f"returned {len(values):,} numbers for {many:,} rows")
    return [_number(at, value) for at, value in enumerate(values)]


def _number(at: int, value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, Real | np.bool_):
        raise NotMeasured(f"returned {repr(value)[:60]} for row {at}, which is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NotMeasured(f"returned {number} for row {at}; what it says nothing about is None")
    return number
