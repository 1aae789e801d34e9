"""The arrays of one sample as text: words in columns, marks under them, numbers printed.

Axes: B samples of a batch, T tokens, N columns of an array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vlpbench.data.tokenizer import Tokenizer

__all__ = ["LEGEND", "piece", "row_lines"]

LEGEND = "x true   . false   _ padding   ~ goes on with the word before"
"""What the signs mean."""

_PADDING = "_"
_MOST = 12
"""How many numbers of an array without columns are printed."""

Line = tuple[str, list[str]]
"""A label and the text of each column."""


def row_lines(
    arrays: Mapping[str, Any], row: int, tokenizer: Tokenizer, answers: Sequence[str] = (), width: int = 96,
    ids: bool = False,
) -> list[str]:
    """One sample's part of some arrays (B, ...), as lines of at most `width` characters where that can be.

    "tokens" (B, T) comes first and sets the columns; what has T columns stands under it. Whole numbers that are
    probably ids are shown as words; `ids` adds the numbers. `answers` name the columns of an array as wide as they
    are many.
    """
    length = arrays["tokens"].shape[1]
    table: list[Line] = []
    rest: list[str] = []
    for name, array in arrays.items():
        words = name == "tokens" or _are_words(array, tokenizer, length)
        for label, values in _parts(name, np.asarray(array[row])):
            if values.shape == (length,):
                table.append((label, _cells(values, tokenizer if words else None)))
            elif words and values.ndim == 1:
                rest.append(f"{label}  {' '.join(_cells(values, tokenizer))}")
            else:
                rest.append(f"{label}  {_numbers(values, answers)}")
            if ids and words and values.shape == (length,):
                table.append(("", [str(value) for value in values]))
            elif ids and words:
                rest.append(f"{'':{len(label)}}  {' '.join(map(str, values))}")
    return [*_columns(table, width), *rest]


def piece(number: int, tokenizer: Tokenizer) -> str:
    """One id as text: what begins in the middle of a word starts with "~", special ids stand in pointed brackets."""
    special = tokenizer.vocabulary
    named = {special.bos: "<bos>", special.eos: "<eos>", special.unk: "<unk>", special.mask: "<mask>"}
    named[special.pad] = _PADDING
    if number in named:
        return named[number]
    if number in special.sentinels:
        return f"<{special.sentinels.index(number)}>"
    written = tokenizer.pieces[number - (special.size - len(tokenizer.pieces))]
    return ("" if written.startswith(_SPACE) else "~") + (tokenizer.decode([number]) or "␣")


_SPACE = "\u0120"
"""The sign of the library's byte alphabet for a space: pieces that begin a word begin with it."""


def _are_words(array: Any, tokenizer: Tokenizer, length: int) -> bool:
    """Whether an array is probably ids: whole numbers in the vocabulary, at least one of a word.

    What is not as wide as the text may be places in it, of which a few could be ids: there most must be words.
    """
    array = np.asarray(array)
    if array.ndim < 2 or not np.issubdtype(array.dtype, np.integer) or not array.size:
        return False
    vocabulary = tokenizer.vocabulary
    there = array[~np.isin(array, [vocabulary.pad, vocabulary.bos, vocabulary.eos])]
    if not there.size or array.min() < 0 or array.max() >= vocabulary.size:
        return False
    words = there >= vocabulary.size - len(tokenizer.pieces)
    return bool(words.any() if array.shape[-1] == length else np.mean(words) >= 0.5)


def _parts(name: str, values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """An array with several rows a sample (candidates, views) as its rows, the first few of them."""
    if values.ndim != 2 or values.shape[0] > 8:
        return [(name, values)]
    return [(f"{name}[{at}]", part) for at, part in enumerate(values)]


def _cells(values: np.ndarray, tokenizer: Tokenizer | None) -> list[str]:
    if tokenizer is not None:
        return [piece(int(value), tokenizer) for value in values]
    if values.dtype == np.bool_:
        return ["x" if value else "." for value in values]
    return [_number(value) for value in values]


def _number(value: Any) -> str:
    return str(int(value)) if np.issubdtype(np.asarray(value).dtype, np.integer) else f"{float(value):.3g}"


def _numbers(values: np.ndarray, answers: Sequence[str]) -> str:
    """Numbers in a line: a few whole, many as those that are not zero, pictures and the like by their range."""
    if values.ndim == 0:
        return _cells(values[None], None)[0]
    if values.ndim > 1 or not values.size:
        span = f", from {_number(values.min())} to {_number(values.max())}" if values.size else ""
        return f"{values.dtype} {' x '.join(map(str, values.shape))}{span}"
    if values.size <= _MOST and values.size != len(answers):
        return " ".join(_cells(values, None))
    there = np.flatnonzero(values)
    names = answers if len(answers) == values.size else [f"[{at}]" for at in range(values.size)]
    said = ", ".join(f"{names[at]} = {_number(values[at])}" for at in there[:_MOST])
    more = f", and {len(there) - _MOST} more" if len(there) > _MOST else ""
    return f"{said or 'nothing but zeros'}{more}  (of {values.size})"


def _columns(table: Sequence[Line], width: int) -> list[str]:
    """Lines whose columns stand under each other, in as many blocks as the width asks for.

    Where the words of the first line have ended, columns that are all alike up to the end are left out.
    """
    labels = max(len(label) for label, _ in table) + 2
    columns = list(zip(*(cells for _, cells in table), strict=True))
    used = len(columns)
    while used > 1 and columns[used - 1] == columns[-1] and columns[used - 1][0] == _PADDING:
        used -= 1
    wide = [max(len(cells[at]) for _, cells in table) + 1 for at in range(used)]
    lines: list[str] = []
    start = 0
    while start < used:
        end = start + 1
        while end < used and labels + sum(wide[start : end + 1]) <= width:
            end += 1
        for label, cells in table:
            text = "".join(f"{cells[at]:{wide[at]}}" for at in range(start, end))
            lines.append(f"{label:{labels}}{text}".rstrip())
        start = end
    return lines
