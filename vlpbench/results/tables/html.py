"""A table in HTML: a fragment without style or script, whose numbers say their value to whoever sorts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vlpbench.results.tables.entry_text import groups, pieces_of, prose, unsaid_notes
from vlpbench.results.tables.model import Column, Entry, Line, Table

__all__ = ["html"]


def html(table: Table) -> str:
    """`<table class="results">` with its caption, and behind it a list of the notes that it does not say.

    The last line of the head has one cell a column. Rows and floors have a `<tbody>` each, so that floors stay below
    when rows are sorted. A cell with a number has it, unrounded, in `data-value`; one with a text has none.
    Classes: of the body `rows`, `floors`; of a cell the kind of its column, and `best`, `missing`.
    """
    parts = ['<table class="results">']
    parts += [f"<caption>{_prose(table.caption)}</caption>"] if table.caption else []
    parts += ["<thead>", *_groups(table.columns), _heads(table), "</thead>"]
    for kind in ("row", "floor"):
        if lines := [_line(line, table.columns) for line in table.lines if line.kind == kind]:
            parts += [f'<tbody class="{kind}s">', *lines, "</tbody>"]
    parts.append("</table>")
    if notes := unsaid_notes(table):
        parts += ['<ul class="notes">', *(f"<li>{_prose(note)}</li>" for note in notes), "</ul>"]
    return "\n".join(parts)


def _groups(columns: Sequence[Column]) -> list[str]:
    """The line over the heads; nothing where no column has a group."""
    if not any(column.group for column in columns):
        return []
    cells = [
        f'<th scope="colgroup" colspan="{many}">{escape(name)}</th>' if name else f'<td colspan="{many}"></td>'
        for name, many in groups(columns)
    ]
    return [f"<tr><td></td>{''.join(cells)}</tr>"]


def _heads(table: Table) -> str:
    cells = [f'<th scope="col" class="{column.kind}">{escape(column.name)}</th>' for column in table.columns]
    return f'<tr><th scope="col" class="text">{escape(table.head)}</th>{"".join(cells)}</tr>'


def _line(line: Line, columns: Sequence[Column]) -> str:
    cells = [_entry(entry, column) for entry, column in zip(line.entries, columns, strict=True)]
    return f'<tr><th scope="row">{escape(line.name)}</th>{"".join(cells)}</tr>'


def _entry(entry: Entry, column: Column) -> str:
    said, number = pieces_of(entry, column.kind), ""
    kinds = [column.kind, *(["best"] if entry.is_best else [])]
    if entry.value is not None and entry.value == entry.value:
        number = f' data-value="{float(entry.value)!r}"'.replace("inf", "Infinity")
    elif column.kind != "text":
        kinds.append("missing")
    main = f"<b>{escape(said.main)}</b>" if entry.is_best else escape(said.main)
    seeds = f' <span class="seeds">({escape(said.seeds)})</span>' if said.seeds else ""
    mark = f"<sup>{escape(said.mark)}</sup>" if said.mark else ""
    return f'<td class="{" ".join(kinds)}"{number}>{main}{seeds}{mark}</td>'


def _prose(text: str) -> str:
    return "".join(f"<code>{escape(part)}</code>" if is_code else escape(part) for part, is_code in prose(text))
