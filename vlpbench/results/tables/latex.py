"""A table for LaTeX: a whole environment that compiles as it is where the preamble has booktabs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_lowercase as _LETTERS

from vlpbench.results.tables.entry_text import Kind, groups, one_line, pieces_of, unsaid_notes
from vlpbench.results.tables.latex_fit import fit_of, head_lines, needs, shortened
from vlpbench.results.tables.latex_text import escaped, escaped_prose
from vlpbench.results.tables.model import Entry, Line, Table

__all__ = ["latex"]

_RAISED = {"*": "*", "†": r"\dagger", "‡": r"\ddagger"}


def latex(table: Table) -> str:
    r"""The `table` environment, and above it, in comments, what it needs and what to mind.

    Caption above, floors under a rule of their own, notes below in small print. No \resizebox, which makes every
    table's type another size: a wide one is set in smaller usual ones, then with its groups under each other.
    """
    letters, fit = _letters(table), fit_of(table)
    tabulars = [_tabular(part, letters, fit.may_hang) for part in fit.parts]
    return "\n".join([
        *(f"% {line}" for line in needs(table, fit)),
        *(f"% {one_line(note)}" for note in _unsaid(table, are_details=True)),
        r"\begin{table}[tb]",
        r"\centering",
        *([rf"\caption{{{escaped_prose(table.caption)}}}"] if table.caption else []),
        rf"\label{{{re.sub(r'[^A-Za-z0-9:._+-]', '-', table.label)}}}",
        r"\smallskip",
        *([fit.size, rf"\setlength{{\tabcolsep}}{{{fit.space}pt}}"] if fit.size else []),
        "\n\\par\\medskip\n".join(tabulars),
        *_notes(table, letters),
        r"\end{table}",
    ])


def _tabular(table: Table, letters: dict[str, str], may_hang: bool) -> str:
    """All columns of a table; one that is too wide hangs into both margins evenly."""
    body = [_line(line, table, letters) for line in table.lines if line.kind == "row"]
    floors = [_line(line, table, letters) for line in table.lines if line.kind == "floor"]
    lines = [
        rf"\begin{{tabular}}{{l{''.join('l' if column.kind == 'text' else 'c' for column in table.columns)}}}",
        r"\toprule",
        *_groups(table),
        _row([escaped(table.head), *(_head(table, at) for at in range(len(table.columns)))]),
        *([r"\midrule", *body] if body else []),
        *([r"\midrule", *floors] if floors else []),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join([r"\makebox[\linewidth]{%", *lines, "}"] if may_hang else lines)


def _row(cells: Iterable[str]) -> str:
    r"""One line; a star at its beginning is not read as that of the \\ before it (brackets are in braces)."""
    whole = " & ".join(cells)
    return ("{}" if whole.startswith("*") else "") + whole + r" \\"


def _groups(table: Table) -> list[str]:
    """The line over the heads: what columns share, with a rule under each; nothing where no column has a group."""
    if not any(column.group for column in table.columns):
        return []
    cells, rules, at = [""], [], 2
    for name, many in groups(table.columns):
        cells.append(rf"\multicolumn{{{many}}}{{c}}{{{escaped(name)}}}" if name else " & ".join([""] * many))
        rules += [rf"\cmidrule(lr){{{at}-{at + many - 1}}}"] if name else []
        at += many
    return [_row(cells), " ".join(rules)]


def _head(table: Table, at: int) -> str:
    """A column's head; two lines are a small table of their own, whose last line stands with the other heads."""
    lines = r" \\ ".join(escaped(one) for one in head_lines(table, at))
    where = "l" if table.columns[at].kind == "text" else "c"
    return rf"\begin{{tabular}}[b]{{@{{}}{where}@{{}}}}{lines}\end{{tabular}}" if r" \\ " in lines else lines


def _line(line: Line, table: Table, letters: dict[str, str]) -> str:
    name = escaped(line.name)
    kinds = [column.kind for column in table.columns]
    entries = [_entry(*pair, letters) for pair in zip(line.entries, kinds, strict=True)]
    return _row([rf"\textit{{{name}}}" if line.kind == "floor" else name, *entries])


def _entry(entry: Entry, kind: Kind, letters: dict[str, str]) -> str:
    said = pieces_of(entry, kind)
    stays, sentence = shortened(said.main)
    if sentence in letters:
        return escaped(stays) + _raised(letters[sentence]) + _raised(said.mark)
    main = rf"\textbf{{{escaped(said.main)}}}" if entry.is_best else escaped(said.main)
    return main + (f" (${said.seeds}$)" if said.seeds else "") + _raised(said.mark)


def _raised(mark: str) -> str:
    inside = "".join(_RAISED.get(one, one if one in _LETTERS else rf"\mbox{{{escaped(one)}}}") for one in mark)
    return f"$^{{{inside}}}$" if inside else ""


def _letters(table: Table) -> dict[str, str]:
    """Every sentence that stands in an entry of the table, with the letter that stands for it."""
    texts = (pieces_of(entry).main for line in table.lines for entry in line.entries)
    found = dict.fromkeys(sentence for _, sentence in map(shortened, texts) if sentence)
    return {sentence: _LETTERS[at % 26] * (1 + at // 26) for at, sentence in enumerate(found)}


def _unsaid(table: Table, are_details: bool) -> list[str]:
    """The notes that the caption does not say: what its author may know, or what every reader must."""
    return [note for note in unsaid_notes(table) if (note in table.details) == are_details]


def _notes(table: Table, letters: dict[str, str]) -> list[str]:
    """What must be said under the table, as wide as the text."""
    lettered = [f"{_raised(letter)}~{escaped(sentence)}" for sentence, letter in letters.items()]
    said = [*(["; ".join(lettered)] if lettered else []), *map(escaped_prose, _unsaid(table, are_details=False))]
    if not said:
        return []
    return [r"\par\smallskip", r"\begin{minipage}{\linewidth}", r"\footnotesize", "\n\n".join(said), r"\end{minipage}"]
