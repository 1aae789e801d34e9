"""What an entry of a table reads as, in plain text; every format sets the same pieces in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Literal

from vlpbench.results.tables.model import Column, Entry, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MISSING", "Kind", "Pieces", "frame", "groups", "heads", "one_line", "pieces_of", "prose", "text_of", "unique",
    "unsaid_notes",
]

Kind = Literal["score", "difference", "published", "text"]
"""A column's kind, which decides whether a number shows a plus sign."""

MISSING = "–"
"""Where there is nothing to say."""


@dataclass(frozen=True)
class Pieces:
    """An entry cut into what formats set differently: only `main` is bold, only `mark` is raised."""

    main: str
    """The number with what stands behind ±, or the text; never empty."""
    seeds: str = ""
    """`n=4/5` where fewer seeds had a value than were wanted, `n=4` where other lines have other seeds."""
    mark: str = ""
    """Such as * or †."""


def pieces_of(entry: Entry, kind: Kind = "score") -> Pieces:
    """The parts of an entry; a difference has its sign, and a minus is a minus (−), not a hyphen."""
    value = entry.value
    if value is None or value != value:
        return Pieces(entry.text or MISSING, mark=entry.mark)
    main = _number(value, entry.decimals, "+" if kind == "difference" else "")
    if entry.spread is not None and entry.spread == entry.spread:
        main += f" ± {_number(entry.spread, entry.decimals)}"
    had, wanted = entry.seeds or (0, 0)
    seeds = f"n={had}/{wanted}" if had != wanted else f"n={had}" if entry.tells_n else ""
    return Pieces(main, seeds, entry.mark)


def text_of(entry: Entry, kind: Kind = "score") -> str:
    """An entry in plain text: "34.6 ± 1.6 (n=4/5)*", "+2.1 ± 0.4*" in a column of differences, "n/a: needs decode"."""
    said = pieces_of(entry, kind)
    return said.main + (f" ({said.seeds})" if said.seeds else "") + said.mark


def heads(table: Table) -> list[str]:
    """One plain name a column, the group's before it ("vqa acc."), no two alike."""
    return unique(f"{column.group} {column.name}".strip() for column in table.columns)


def unique(names: Iterable[str]) -> list[str]:
    """The names in order, with a number behind one that was there before: a, b, "a (2)"."""
    found: dict[str, None] = {}
    for name in names:
        numbered = (f"{name} ({at})" for at in count(2))
        found[next(one for one in chain([name], numbered) if one not in found)] = None
    return list(found)


def groups(columns: Iterable[Column]) -> Iterator[tuple[str, int]]:
    """What stands over the columns: each group's name (empty for none) with how many neighbours share it."""
    name, many = "", 0
    for column in columns:
        if many and column.group != name:
            yield name, many
            many = 0
        name, many = column.group, many + 1
    if many:
        yield name, many


def one_line(text: str) -> str:
    """Without breaks of lines, which would end a line of the table, too."""
    return re.sub(r"\s+", " ", text)


def prose(text: str) -> Iterator[tuple[str, bool]]:
    """A sentence cut at its words in backquotes: each part, and whether it is such code (without its quotes)."""
    for at, part in enumerate(re.split("`([^`]+)`", text)):
        if part:
            yield part, at % 2 == 1


def unsaid_notes(table: Table) -> list[str]:
    """The notes that the caption above the table does not say in the same words."""
    said = table.caption.lower()
    return [note for note in table.notes if note.rstrip(".").lower() not in said]


def frame(table: Table) -> pd.DataFrame:
    """The table as a frame of plain text: one line a row or floor, under the names of `heads`."""
    import pandas as pd

    kinds = [column.kind for column in table.columns]
    texts = [[text_of(*pair) for pair in zip(line.entries, kinds, strict=True)] for line in table.lines]
    index = pd.Index([line.name for line in table.lines], name=table.head, dtype=object)
    return pd.DataFrame(texts, index=index, columns=heads(table), dtype=object)


def _number(value: float, decimals: int, plus: str = "") -> str:
    """A number in print: `plus` before a positive one, no sign before a zero, thousands apart by commas."""
    if abs(value) == float("inf"):
        size = "∞"
    else:
        size = f"{abs(value):,.{decimals}f}"
        if not size.strip("0.,"):
            return size
    return f"{'−' if value < 0 else plus}{size}"
