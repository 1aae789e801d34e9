"""A plugin's report table as one of ours, so that every format prints it: its frame checked, its caption written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from vlpbench.contract.report_table import ReportTable
from vlpbench.errors import UserError
from vlpbench.registry import Origin
from vlpbench.results.tables.model import Column, Entry, Line, Table

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["brought_table"]


def brought_table(cls: type[ReportTable], origin: Origin, results: Results, decimals: int = 1) -> Table:
    """The table that a plugin's class makes of results; numbers that are not whole have so many digits in print.

    What the frame's index says names the lines, or, where it only counts them, the first column. Two levels of column
    names are a group and its columns. UserError names the plugin where it raises or gives something else than a frame.
    """
    found = _frame(cls, origin, results)
    names, head, body = _lines(found, f"table {cls.name!r} of plugin {origin.plugin!r} ({origin})")
    heads = [_head(one) for one in body.columns]
    columns = [list(body.iloc[:, at]) for at in range(len(heads))]
    kinds = [_is_numbers(values) for values in columns]
    entries = [[_entry(value, decimals) for value in values] for values in columns]
    said = f"table `{cls.name}`, version {cls.version}, of {origin}"
    description = cls.description.strip().rstrip(".")
    return Table(
        tuple(
            Column(name, group, "score" if numbers else "text")
            for (group, name), numbers in zip(heads, kinds, strict=True)
        ),
        tuple(Line(name, tuple(column[at] for column in entries)) for at, name in enumerate(names)),
        head,
        f"{description + '. ' if description else ''}{said[0].upper()}{said[1:]}.",
        (*([description] if description else []), said, *results.conflicts),
        label=f"tab:{'-'.join([*(_plain(order.name) for order in results.orders), _plain(cls.name)])}",
    )


def _frame(cls: type[ReportTable], origin: Origin, results: Results) -> pd.DataFrame:
    """What the plugin gives, which has to be a frame with something to show."""
    import pandas as pd

    who = f"table {cls.name!r} of plugin {origin.plugin!r} ({origin})"
    try:
        found: Any = cls().frame(results)
    except UserError:
        raise
    except (Exception, SystemExit) as wrong:
        raise UserError(f"{who} raised {type(wrong).__name__}: {wrong}".rstrip(": "), "--what",
                        "tell its author; `vlpbench -v report table` shows where") from wrong
    if not isinstance(found, pd.DataFrame):
        raise UserError(f"{who} gave {_kind(found)}, not a pandas DataFrame", "--what",
                        "return one from frame(results), one line a row")
    return found


def _lines(found: pd.DataFrame, who: str) -> tuple[list[str], str, pd.DataFrame]:
    """What the lines are called, the head over them, and the columns beside."""
    import pandas as pd

    if not (isinstance(found.index, pd.RangeIndex) and found.index.name is None):
        names = [", ".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in found.index]
        return names, ", ".join(str(one) for one in found.index.names if one is not None) or "row", found
    if not len(found.columns):
        raise UserError(f"{who} gave a frame without columns", "--what", "one line a row, its name first")
    group, name = _head(found.columns[0])
    return [_text(one) for one in found.iloc[:, 0]], f"{group} {name}".strip(), found.iloc[:, 1:]


def _head(column: Any) -> tuple[str, str]:
    """Group and name; more than two levels are one name."""
    if not isinstance(column, tuple):
        return "", str(column)
    group, *rest = map(str, column)
    return (group, " ".join(one for one in rest if one)) if any(rest) else ("", group)


def _entry(value: Any, decimals: int) -> Entry:
    if _is_missing(value):
        return Entry(float("nan"))
    if not _is_number(value):
        return Entry(text=_text(value))
    if isinstance(value, Integral):
        return Entry(int(value), decimals=0)
    return Entry(float(value), decimals=decimals)


def _is_numbers(values: Sequence[Any]) -> bool:
    """Whether a column holds numbers, as far as it holds anything."""
    there = [value for value in values if not _is_missing(value)]
    return bool(there) and all(map(_is_number, there))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA; a list or an array is a text."""
    import pandas as pd

    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return "" if _is_missing(value) else str(value)


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _plain(name: str) -> str:
    return re.sub("[^A-Za-z0-9]+", "-", name).strip("-")
