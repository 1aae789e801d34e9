"""One row an example in a file, JSON lines or Parquet by its suffix; written whole or not at all."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError, nearest
from vlpbench.files import written_whole

__all__ = ["Row", "check_target", "write_rows"]

Row = Mapping[str, int | float | str | bool | None]
"""Column -> value; all rows of a file have the same columns."""
LINES = (".jsonl", ".json", ".ndjson")
SUFFIXES = (".parquet", *LINES)


def check_target(path: Path) -> None:
    """UserError if rows cannot be written to `path`: found out before hours of scoring, not after."""
    if path.suffix.lower() not in SUFFIXES:
        near = nearest(path.suffix.lower(), SUFFIXES) or ".jsonl"
        raise UserError(
            f"rows are written as Parquet or JSON lines, by the suffix of the file, which is {path.suffix or 'none'}",
            f"--per-example {path}", f"did you mean {path.with_suffix(near).name!r}? known: {', '.join(SUFFIXES)}",
        )
    try:
        is_folder = path.is_dir()
        above = next(folder for folder in path.absolute().parents if folder.exists())
    except OSError as error:  # such as a folder that may not be entered
        cause = f"the rows cannot be written: {error.strerror}"
        raise UserError(cause, f"--per-example {path}", "name another folder") from None
    if is_folder:
        raise UserError(f"{path.name!r} is a folder", f"--per-example {path}", "name a file in it")
    if not above.is_dir():
        raise UserError(f"{above.name!r} is a file, not a folder", f"--per-example {path}", "name another folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise UserError(f"nothing can be written in {str(above)!r}", f"--per-example {path}", "name another folder")


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows under `path`: one JSON object a line, or a Parquet table where the suffix is `.parquet`.

    Ids that are whole numbers in some rows and texts in others, or numbers beyond 64 bits, are written as texts.
    """
    check_target(path)
    kinds = _kinds(rows)
    text = "".join(json.dumps(_fitting(row, kinds), allow_nan=False) + "\n" for row in rows)
    with written_whole(path) as temporary:
        if path.suffix.lower() in LINES:
            temporary.write_text(text, encoding="utf-8")
        else:
            _write_parquet(temporary, text.encode(), kinds)


def _kinds(rows: Sequence[Row]) -> dict[str, type]:
    """Column -> the one type of its values."""
    kinds: dict[str, type] = {}
    for name in rows[0] if rows else ():
        values = [row[name] for row in rows]
        held = {type(value) for value in values} - {type(None)}
        wide = any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in values)
        kinds[name] = str if wide or str in held else float if float in held else next(iter(held), str)
    return kinds


def _fitting(row: Row, kinds: Mapping[str, type]) -> dict[str, Any]:
    return {name: None if row[name] is None else kind(row[name]) for name, kind in kinds.items()}


def _write_parquet(path: Path, lines: bytes, kinds: Mapping[str, type]) -> None:
    """JSON lines as Parquet. They go through Arrow's own reader: every other way into it imports pandas."""
    import pyarrow as pa
    from pyarrow import json as arrow_json
    from pyarrow import parquet

    types = {int: pa.int64(), float: pa.float64(), str: pa.string(), bool: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in kinds.items()])
    table = arrow_json.read_json(
        io.BytesIO(lines),
        arrow_json.ReadOptions(block_size=len(lines) + 1),
        arrow_json.ParseOptions(explicit_schema=schema),
    )
    parquet.write_table(table, path, compression="zstd")
