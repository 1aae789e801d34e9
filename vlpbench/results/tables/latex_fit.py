"""How large a table is on paper: the type it is set in, and what its author must see to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vlpbench.results.tables.entry_text import one_line, text_of
from vlpbench.results.tables.latex_text import unsettable
from vlpbench.results.tables.model import Table

__all__ = ["REASON", "Fit", "fit_of", "needs"]

REASON = "n/a: "
"""What comes behind it is set under the table: a sentence in an entry would push the table off the page."""

_SIZES = (("", 5.0, 6), (r"\small", 4.6, 5), (r"\footnotesize", 4.25, 4), (r"\scriptsize", 3.85, 3))
"""Each size with the width of an average character and half the space between columns, in points (Computer Modern)."""

_TEXT = 345
"""Points: the width of a page's text in the class article; at NeurIPS 397."""

_COLUMN = 236
"""Points: a column of a paper in two columns."""

_LINES = 50
"""As many fit on a page."""


@dataclass(frozen=True)
class Fit:
    """The type a table is set in, and how wide it is then."""

    size: str
    """The command; empty for the text's own size."""
    space: int
    """Half the space between two columns, in points."""
    width: float
    """Of the table in points, by a count of its characters: about a tenth too much or too little."""


def fit_of(table: Table) -> Fit:
    """The largest type in which the table is no wider than a page's text; if there is none, the smallest."""
    widest = [max(map(len, [table.head, *(line.name for line in table.lines)]))]
    for at, column in enumerate(table.columns):
        texts = [text_of(line.entries[at], column.kind) for line in table.lines]
        widest.append(max(map(len, [column.name, *("n/a" if text.startswith(REASON) else text for text in texts)])))
    fits = [Fit(size, space, letter * sum(widest) + 2 * space * len(widest)) for size, letter, space in _SIZES]
    return next((fit for fit in fits if fit.width <= _TEXT), fits[-1])


def needs(table: Table, fit: Fit) -> list[str]:
    """What the preamble must have, and what to do where the table is too large or a character cannot be set."""
    said = [r"needs \usepackage{booktabs}"]
    about = f"about {10 * round(fit.width / 10)} pt wide"
    if fit.width > _TEXT:
        cure = r"leave columns out, or turn it by sidewaystable of \usepackage{rotating}"
        said.append(f"{about} in the smallest type, a page's text about {_TEXT}: {cure}")
    elif fit.width > _COLUMN:
        said.append(f"{about}, a column of a two-column paper about {_COLUMN}: there, use table*")
    if len(table.lines) > _LINES:
        said.append(rf"{len(table.lines)} lines, a page has about {_LINES}: use longtable of \usepackage{{longtable}}")
    odd = {text: unsettable(text) for text in map(one_line, _texts(table))}
    said.extend(
        f'pdflatex cannot set {_named(letters)} of "{text}": use xelatex or lualatex, and a font that has it'
        for text, letters in odd.items() if letters
    )
    return said


def _named(letters: list[str]) -> str:
    return " ".join(f"{letter} (U+{ord(letter):04X})" for letter in letters)


def _texts(table: Table) -> Iterator[str]:
    """Every text of the table that somebody may have typed."""
    yield from (table.head, table.caption, *table.notes)
    for column in table.columns:
        yield from (column.group, column.name)
    for line in table.lines:
        yield line.name
        yield from (one.text + one.mark for one in line.entries)
