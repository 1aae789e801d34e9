"""A table as a pandas Styler: numbers to compute with and to colour, printed as the table prints them."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from vlpbench.errors import unknown
from vlpbench.results.tables.entry_text import text_of, unique
from vlpbench.results.tables.latex_text import escaped
from vlpbench.results.tables.model import Column, Entry, Table

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

__all__ = ["styler"]

_WRITE: Mapping[str, Callable[[str], str]] = {"html": html.escape, "latex": escaped}
_BOLD = {"html": "font-weight: bold;", "latex": "textbf: --rwrap;"}


def styler(table: Table, escape: Literal["html", "latex"] = "html") -> Styler:
    """A Styler to go on with; names, texts and caption are escaped for `.to_html()` or, if asked, for `.to_latex()`.

    The frame below has floats (NaN where an entry is a text) in columns (group, name), or names alone where there are
    no groups; no two lines or columns are called alike. `.to_latex(hrules=True, multicol_align="c")` needs booktabs.
    UserError for another `escape`.
    """
    import pandas as pd

    if escape not in _WRITE:
        raise unknown("escape", escape, _WRITE)

    def write(text: object) -> str:
        return _WRITE[escape](str(text))

    numbers = _numbers(table)
    fonts = [[_BOLD[escape] if entry.is_best else "" for entry in line.entries] for line in table.lines]
    bold = pd.DataFrame(fonts, index=numbers.index, columns=numbers.columns, dtype=object)
    styled = numbers.style
    for at, line in enumerate(table.lines):
        pairs = zip(line.entries, table.columns, strict=True)
        printed: dict[Any, str | Callable[[object], str] | None] = {
            key: _always(write(text_of(entry, column.kind)))
            for key, (entry, column) in zip(numbers.columns, pairs, strict=True)
        }
        styled.format(printed, subset=pd.IndexSlice[[numbers.index[at]], :])
    styled.format_index(write, axis=0).format_index(write, axis=1)
    return styled.apply(lambda _: bold, axis=None).set_caption(write(table.caption))


def _numbers(table: Table) -> pd.DataFrame:
    """The frame of numbers; a column of texts has texts."""
    import pandas as pd

    columns = {
        at: [_value(line.entries[at], column) for line in table.lines] for at, column in enumerate(table.columns)
    }
    found = pd.DataFrame(columns, index=pd.Index(unique(line.name for line in table.lines), dtype=object))
    found.columns = _columns(table.columns)
    return found


def _value(entry: Entry, column: Column) -> float | str:
    if column.kind == "text":
        return text_of(entry, column.kind)
    return float("nan") if entry.value is None else float(entry.value)


def _columns(columns: tuple[Column, ...]) -> pd.Index:
    """Pairs of group and name, or names where no column has a group; each once."""
    import pandas as pd

    if not any(column.group for column in columns):
        return pd.Index(unique(column.name for column in columns), dtype=object)
    names = {
        group: iter(unique(column.name for column in columns if column.group == group))
        for group in dict.fromkeys(column.group for column in columns)
    }
    return pd.MultiIndex.from_tuples([(column.group, next(names[column.group])) for column in columns])


def _always(text: str) -> Callable[[object], str]:
    """A format that prints this, whatever the number."""
    return lambda _: text
