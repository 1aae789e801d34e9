"""A table in GitHub's Markdown: the best bold, floors in italics, every name as it was typed."""

from __future__ import annotations

import re

from vlpbench.results.tables.entry_text import Kind, heads, one_line, pieces_of, prose, unsaid_notes
from vlpbench.results.tables.model import Entry, Line, Table

__all__ = ["escaped", "markdown"]

_ACTIVE = re.compile(
    r"[\\`*~|$]"  # code, emphasis, strike-through, a column's end, mathematics
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis; mean_per_class has none
    r"|<(?=[A-Za-z/!?])|&(?=#?\w+;)"  # tags, entities
    r"|\](?=[(\[])"  # links
)
"""What would be read as something else. No more is escaped, since tables are read in terminals, too."""


def markdown(table: Table) -> str:
    """The table, and under it, where there are any, its caption and one item a note that the caption does not say."""
    import pandas as pd

    kinds = [column.kind for column in table.columns]
    texts = [[_entry(*pair) for pair in zip(line.entries, kinds, strict=True)] for line in table.lines]
    columns = [escaped(head) for head in heads(table)]
    whole = pd.DataFrame(texts, index=[_name(line) for line in table.lines], columns=columns, dtype=object)
    said = [str(whole.rename_axis(escaped(table.head)).to_markdown(disable_numparse=True))]
    said += [_prose(table.caption)] if table.caption else []
    left = unsaid_notes(table)
    said += ["\n".join(f"- {_prose(note)}" for note in left)] if left else []
    return "\n\n".join(said)


def escaped(text: str) -> str:
    """Text that Markdown shows as it was typed, on one line."""
    return _ACTIVE.sub(lambda found: f"\\{found[0]}", one_line(text))


def _name(line: Line) -> str:
    return f"*{escaped(line.name)}*" if line.kind == "floor" else escaped(line.name)


def _entry(entry: Entry, kind: Kind) -> str:
    said = pieces_of(entry, kind)
    main = f"**{escaped(said.main)}**" if entry.is_best else escaped(said.main)
    return main + (f" ({said.seeds})" if said.seeds else "") + escaped(said.mark)


def _prose(text: str) -> str:
    return "".join(f"`{part}`" if is_code else escaped(part) for part, is_code in prose(text))
