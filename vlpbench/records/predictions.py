"""Every prediction of a task as a parquet file: one row a question, picture or query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError
from vlpbench.files import written_whole

__all__ = ["read_predictions", "write_predictions"]


def write_predictions(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows, whole or not at all; equal rows give equal bytes (same pyarrow)."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = dict.fromkeys(name for row in rows for name in row)  # pyarrow would look at the first row alone
    table = pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows])
    with written_whole(path) as temporary:
        parquet.write_table(table, temporary, compression="zstd", store_schema=True)


def read_predictions(path: Path) -> list[dict[str, Any]]:
    """The rows as they were written; a file that is cut short is a UserError."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"cannot read predictions: {error}", str(path), "run the grid again") from error
    return rows
