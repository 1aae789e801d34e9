"""JSON files of other people's codebases as rows: what is wrong is counted, and the first few places are named."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError, nearest

__all__ = [
    "Document", "Rows", "doubled", "first_few", "listed", "placed", "read_bytes", "read_document", "read_text",
    "rows_of",
]

OFFICIAL = frozenset((
    "answer", "answer_type", "answers", "caption", "id", "image_id", "multiple_choice_answer", "multiple_choices",
    "question", "question_id", "question_type",
))
"""Keys of the official layouts: none of them is another one misspelt."""
SHOWN = 5
"""How many offending rows or ids an error names."""


@dataclass(frozen=True)
class Document:
    """What a JSON file holds, and how the user named it."""

    option: str
    """The option that brought it: "--predictions"."""
    path: Path
    """The file."""
    value: Any
    """The decoded JSON."""

    @property
    def where(self) -> str:
        """The place that an error names."""
        return f"{self.option} {self.path}"


def read_bytes(option: str, path: Path, most: int = -1) -> bytes:
    """The first `most` bytes of a file (all, if negative); UserError with the nearest name if there is none such."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        near = nearest(path.name, _beside(path))
        remedy = f"did you mean {str(path.parent / near)!r}?" if near else "correct the path"
        raise UserError(f"{path.name!r} does not exist", f"{option} {path}", remedy) from None
    except OSError as error:
        what = "it is a folder" if isinstance(error, IsADirectoryError) else error.strerror
        raise UserError(f"{path.name!r} cannot be read: {what}", f"{option} {path}", "give a readable file") from None


def _beside(path: Path) -> list[str]:
    """The names in the folder of a file, none if it cannot be listed."""
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def read_text(option: str, path: Path) -> str:
    """The text of a UTF-8 file, with or without byte order mark; UserError if it is missing or something else."""
    try:
        return read_bytes(option, path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path.name} is not text in UTF-8 (byte {error.start} is 0x{error.object[error.start]:02x})",
            f"{option} {path}", "give the JSON file; pickles and archives are not read",
        ) from None


def read_document(option: str, path: Path) -> Document:
    """The JSON in a file, whatever its top level; UserError naming line and column where it is not JSON."""
    text = read_text(option, path)
    try:
        return Document(option, path, json.loads(text))
    except json.JSONDecodeError as error:
        remedy = "correct the file at that place"
        cause = f"{path.name} is not JSON: {error.msg}"
        if not text.strip():
            cause, remedy = f"{path.name} is empty", "write the file again"
        elif error.msg.startswith("Extra data") and text.lstrip().startswith("{"):
            remedy = "write one list, [{...}, {...}]: a file of one object a line is not the official layout"
        elif error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            cause, remedy = f"{path.name} ends too early", "fetch or write the file again: it is not whole"
        place = f"{option} {path}, line {error.lineno}, column {error.colno}"
        raise UserError(cause, place, remedy) from None
    except (RecursionError, ValueError) as error:
        raise UserError(f"{path.name} cannot be read as JSON: {error}", f"{option} {path}") from None


@dataclass(frozen=True)
class Rows:
    """A list of JSON objects, one a prediction or an annotation."""

    document: Document
    """The file they stand in."""
    what: str
    """What one row is called in errors: "prediction"."""
    found: list[Mapping[str, Any]]
    """The rows, in file order."""

    def __len__(self) -> int:
        return len(self.found)

    def column(self, key: str, problem: Callable[[Any], str | None], remedy: str = "") -> list[Any]:
        """The value under `key` of every row.

        `problem` says what is wrong with a value ("is not a text"), or None. UserError counts the rows that lack the
        key (and names the nearest key that they do have) and those whose value is wrong.
        """
        missing = [at for at, row in enumerate(self.found) if key not in row]
        if missing:
            first = self.found[missing[0]]
            near = nearest(key, (name for name in first if name not in OFFICIAL))
            keys = f"the keys of number {missing[0] + 1} are: {', '.join(sorted(first)) or 'none'}"
            guess = f"did you mean its key {near!r}? " if near else ""
            raise self.error(missing, f"{key!r} is missing", guess + keys)
        values = [row[key] for row in self.found]
        wrong = [(at, said) for at, value in enumerate(values) if (said := problem(value))]
        if wrong:
            raise self.error([at for at, _ in wrong], f"{key!r} {wrong[0][1]}", remedy)
        return values

    def error(self, places: list[int], problem: str, remedy: str = "") -> UserError:
        """The error for the rows at these places (zero-based), each of which has this problem."""
        listed = first_few(at + 1 for at in places)
        cause = f"in {len(places)} of {len(self)} {self.what}s {problem}: number {listed}"
        return UserError(cause, self.document.where, remedy)


def rows_of(document: Document, what: str, value: Any) -> Rows:
    """`value` (the document or a part of it) as rows; UserError unless it is a list of objects that is not empty."""
    if not isinstance(value, list):
        raise UserError(f"the {what}s are {_kind(value)}, not a list", document.where, "write [{...}, {...}]")
    if not value:
        raise UserError(f"the list of {what}s in {document.path.name} is empty", document.where)
    rows = Rows(document, what, value)
    wrong = [at for at, row in enumerate(value) if not isinstance(row, dict)]
    if wrong:
        raise rows.error(wrong, f"{_kind(value[wrong[0]])} stands in the place of an object", "write {...} for each")
    return rows


def listed(document: Document, key: str) -> Any:
    """The list under `key`, or the document itself where it is a list; UserError with the nearest key otherwise."""
    value = document.value
    if not isinstance(value, dict):
        return value
    if key in value:
        return value[key]
    near = nearest(key, value)
    guess = f"did you mean its key {near!r}? " if near else ""
    keys = ", ".join(sorted(value)) or "none"
    raise UserError(f"{document.path.name} has no {key!r}", document.where, f"{guess}its keys are: {keys}")


def doubled(given: Sequence[Hashable]) -> list[int]:
    """The places (zero-based) of values that came before."""
    seen: set[Hashable] = set()
    places = []
    for at, found in enumerate(given):
        if found in seen:
            places.append(at)
        seen.add(found)
    return places


@contextlib.contextmanager
def placed(place: str) -> Iterator[None]:
    """Name `place` in a UserError that comes from a metric, which knows no files."""
    try:
        yield
    except UserError as wrong:
        if wrong.place:
            raise
        raise UserError(wrong.cause, place, wrong.remedy) from None


def first_few(found: Iterable[Any]) -> str:
    """The first few of these things, and a sign that there are more."""
    listed = list(islice(found, SHOWN + 1))
    return ", ".join(map(str, listed[:SHOWN])) + (", ..." if len(listed) > SHOWN else "")


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
