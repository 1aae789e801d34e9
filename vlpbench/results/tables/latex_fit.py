"""How large a table is on paper: the type it is set in, and what its author must see to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from vlpbench.results.tables.entry_text import groups, one_line, text_of, unsaid_notes
from vlpbench.results.tables.latex_text import unsettable
from vlpbench.results.tables.model import Table

__all__ = ["Fit", "fit_of", "head_lines", "needs", "shortened"]

_REASON = "n/a: "
"""What comes behind it is a sentence."""

_LONG = 32
"""Characters of a text, from which on it is a sentence: "captioning@zero-shot CIDEr ×100" is none."""

Size = tuple[str, float, int]

_SIZES: tuple[Size, ...] = (("", 5.0, 6), (r"\small", 4.6, 5), (r"\footnotesize", 4.25, 4), (r"\scriptsize", 3.85, 3))
"""Each size with the width of an average character and half the space between columns, in points (Computer Modern)."""

_TEXT = 345
"""Points: the width of a page's text in the class article; at NeurIPS 397."""

_HANGING = 380
"""Points: a table in the smallest type may be as wide, since most pages are, before its groups are put in lines."""

_COLUMN = 236
"""Points: a column of a paper in two columns."""

_LINES = 50
"""As many fit on a page."""


@dataclass(frozen=True)
class Fit:
    """The type a table is set in, how it is cut, and how wide it is then."""

    size: str
    """The command; empty for the text's own size."""
    space: int
    """Half the space between two columns, in points."""
    width: float
    """Of its widest part in points, by a count of its characters: about a tenth too much or too little."""
    parts: tuple[Table, ...]
    """What stands under each other, with the same rows: groups of columns, or parts of one; else the table itself."""

    @property
    def is_too_wide(self) -> bool:
        """Whether it is wider than a page's text all the same."""
        return self.width > _TEXT

    @property
    def may_hang(self) -> bool:
        """Whether it is wider, or may be by what a count of characters cannot know: wide letters, bold numbers."""
        return self.width > 0.9 * _TEXT


def shortened(text: str) -> tuple[str, str]:
    """What of an entry stays in its place, and the sentence that is set under the table (empty for none).

    A sentence in its place would push the table off the page.
    """
    if text.startswith(_REASON) and text != _REASON:
        return "n/a", text.removeprefix(_REASON)
    return ("", text) if len(text) > _LONG else (text, "")


def fit_of(table: Table) -> Fit:
    """The largest type in which the table is no wider than a page's text; if there is none, its groups in lines.

    A group that is still wider is cut between its scores, each of which keeps its differences and published numbers.
    """
    letters, whole = _letters(table), [list(range(len(table.columns)))]
    tried = [(size, whole, _TEXT) for size in _SIZES] + [(_SIZES[-1], whole, _HANGING)]
    tried += [(size, _packed(letters, _blocks(table), size), _TEXT) for size in _SIZES[2:]]
    tried += [(_SIZES[-1], _packed(letters, _cut(table, letters, _SIZES[-1]), _SIZES[-1]), _TEXT)]
    widths = [max(_width(letters, columns, size) for columns in cut) for size, cut, _ in tried]
    fitting = (at for at, (width, (_, _, most)) in enumerate(zip(widths, tried, strict=True)) if width <= most)
    best = next(fitting, len(tried) - 1)
    (size, _, space), cut, _ = tried[best]
    return Fit(size, space, widths[best], tuple(_part(table, columns) for columns in cut) if len(cut) > 1 else (table,))


def head_lines(table: Table, at: int) -> list[str]:
    """A column's head, in two lines where it has several words and is wider than all that stands below it."""
    name = table.columns[at].name
    if len(name) <= _below(table, at) or " " not in name:
        return [name]
    if " (" in name:
        middle = name.index(" (")
    else:
        blanks = [place for place, letter in enumerate(name) if letter == " "]
        middle = min(blanks, key=lambda place: max(place, len(name) - place - 1))
    return [name[:middle], name[middle + 1 :]]


def _letters(table: Table) -> list[int]:
    """The most characters of each column, the rows' names first; a group's name widens the last of its columns."""
    names = max(map(len, [table.head, *(line.name for line in table.lines)]))
    found = [max(_below(table, at), *map(len, head_lines(table, at))) for at in range(len(table.columns))]
    at = 0
    for name, many in groups(table.columns):
        at += many
        found[at - 1] += max(0, len(name) - sum(found[at - many : at]) - 2 * (many - 1))
    return [names, *found]


def _below(table: Table, at: int) -> int:
    """The most characters of a column's entries."""
    texts = (text_of(line.entries[at], table.columns[at].kind) for line in table.lines)
    return max((len(shortened(text)[0]) for text in texts), default=0)


def _blocks(table: Table) -> list[list[int]]:
    """The columns of each group."""
    found, at = [], 0
    for _, many in groups(table.columns):
        found.append(list(range(at, at + many)))
        at += many
    return found


def _cut(table: Table, letters: Sequence[int], size: Size) -> list[list[int]]:
    """The same, with groups that are too wide in as few parts as fit, of as many scores each as can be."""
    found: list[list[int]] = []
    for block in _blocks(table):
        if not table.columns[block[0]].group or _width(letters, block, size) <= _TEXT:
            found.append(block)
            continue
        scores: list[list[int]] = []
        for at in block:
            if table.columns[at].kind == "score" or not scores:
                scores.append([])
            scores[-1].append(at)
        parts = len(_packed(letters, scores, size))
        each = -(-len(scores) // parts)
        found += [list(chain(*scores[at : at + each])) for at in range(0, len(scores), each)]
    return found


def _packed(letters: Sequence[int], blocks: Sequence[list[int]], size: Size) -> list[list[int]]:
    """As many neighbouring groups in a line as fit."""
    found: list[list[int]] = []
    for block in blocks:
        if found and _width(letters, [*found[-1], *block], size) <= _TEXT:
            found[-1] = [*found[-1], *block]
        else:
            found.append(block)
    return found or [[]]


def _width(letters: Sequence[int], columns: Sequence[int], size: Size) -> float:
    """In points: of these columns behind the rows' names."""
    _, letter, space = size
    return letter * (letters[0] + sum(letters[at + 1] for at in columns)) + 2 * space * (1 + len(columns))


def _part(table: Table, columns: Sequence[int]) -> Table:
    """These columns alone, without floors that have nothing in them."""
    lines = [replace(line, entries=tuple(line.entries[at] for at in columns)) for line in table.lines]
    kept = [line for line in lines if line.kind == "row" or any(one.value is not None for one in line.entries)]
    return replace(table, columns=tuple(table.columns[at] for at in columns), lines=tuple(kept))


def needs(table: Table, fit: Fit) -> list[str]:
    """What the preamble must have, and what to do where the table is too large or a character cannot be set."""
    said = [r"needs \usepackage{booktabs}"]
    about = f"about {10 * round(fit.width / 10)} pt wide"
    if fit.is_too_wide:
        cure = r"leave columns out, or turn it by sidewaystable of \usepackage{rotating}"
        said.append(f"{about} in the smallest type, a page's text about {_TEXT}, so it hangs into both margins: {cure}")
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
    yield from (table.head, table.caption, *(note for note in unsaid_notes(table) if note not in table.details))
    for column in table.columns:
        yield from (column.group, column.name)
    for line in table.lines:
        yield line.name
        yield from (one.text + one.mark for one in line.entries)
