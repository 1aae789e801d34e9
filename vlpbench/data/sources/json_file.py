"""An annotation file in JSON: read whole, with an error that names the file and the place; then row by row."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.errors import nearest

__all__ = ["decoded", "missing", "read_bytes", "read_json", "rows", "text_problem", "unique_rows", "whole_number"]

Row = Mapping[str, Any]


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; DataError with the nearest name in its folder if there is none such."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}", str(path), "give a readable file") from None


def missing(path: Path) -> DataError:
    """The error for a file or folder that does not exist: the nearest name that does."""
    folder = path.parent
    while not folder.is_dir() and folder != folder.parent:
        path, folder = folder, folder.parent
    near = nearest(path.name, (entry.name for entry in folder.iterdir()))
    unset = "" if os.environ.get("VLPBENCH_DATA") else "; VLPBENCH_DATA, which names your data folder, is not set"
    guess = f"did you mean {near!r}?" if near else f"put it there, or correct its name; {folder} was searched{unset}"
    return DataError(f"{path.name!r} does not exist", str(path), guess)


def decoded(raw: bytes, path: Path) -> str:
    """`raw` as text: UTF-8 with or without a byte order mark; DataError naming the first byte that is not."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path.name} is not UTF-8 (byte {error.start} is 0x{raw[error.start]:02x})",
            f"{path}, line {line}",
            "save the file in the encoding UTF-8",
        ) from None


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; DataError if it is missing, not UTF-8, not JSON (or cut off), or not an object."""
    text = decoded(read_bytes(path), path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        cause = f"{path.name} ends too early" if cut else f"{path.name} is not JSON: {error.msg}"
        remedy = "fetch or write the file again: it is not whole" if cut else "correct the file at that place"
        raise DataError(cause, f"{path}, line {error.lineno}, column {error.colno}", remedy) from None
    except (RecursionError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read as JSON: {error}", str(path), "correct the file") from None
    if not isinstance(value, dict):
        found = "a list" if isinstance(value, list) else "a single value"
        raise DataError(f"{path.name} holds {found}, not an object", str(path), 'start it with "{"')
    return value


def rows(document: Row, key: str, path: Path) -> list[Any]:
    """The list under `key` of a document; DataError if it is missing (with the nearest key) or no list."""
    if key not in document:
        near = nearest(key, document)
        guess = f"did you mean its key {near!r}?" if near else f"its keys are: {', '.join(sorted(document)) or 'none'}"
        raise DataError(f"{path.name} has no {key!r}", str(path), guess)
    value = document[key]
    if not isinstance(value, list):
        raise DataError(f"{key!r} of {path.name} is not a list", f"{path}: {key}", "write it as the format has it")
    return value


def unique_rows(found: list[Any], what: str, id_key: str, path: Path) -> tuple[dict[int, Row], list[BadSample]]:
    """Rows by their id, in file order, and a BadSample for each that is no object or whose id is missing or taken.

    `what` names a row in messages ("annotation"); of rows with one id the first is kept.
    """
    good: dict[int, Row] = {}
    bad: list[BadSample] = []
    for at, row in enumerate(found):
        if not isinstance(row, dict):
            bad.append(BadSample(f"{path.name}: {what} number {at + 1}", "is not an object"))
            continue
        number = whole_number(row.get(id_key))
        if number is None:
            missed = f"has no {id_key!r}" if id_key not in row else f"{id_key!r} is not a whole number: {row[id_key]!r}"
            bad.append(BadSample(f"{path.name}: {what} number {at + 1}", missed))
        elif number in good:
            bad.append(BadSample(f"{path.name}: {what} {number}", f"{id_key!r} is there twice; the first was kept"))
        else:
            good[number] = row
    return good, bad


def whole_number(value: Any) -> int | None:
    """`value` as an id: a whole number of 64 bits, or digits in a text (some sets write ids so); else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        return None
    return value


def text_problem(value: Any, what: str) -> str | None:
    """What is wrong with a text ("caption is empty"), or None."""
    if not isinstance(value, str):
        return f"{what} is {'missing' if value is None else 'not a text'}"
    if not value.strip():
        return f"{what} is empty"
    try:
        if not value.isascii():
            value.encode()
    except UnicodeEncodeError:
        return f"{what} holds half a character (a lone surrogate)"
    return None
