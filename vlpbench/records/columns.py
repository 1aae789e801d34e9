"""Some columns of a parquet file as a small file of their own, which reads back as the same values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vlpbench.errors import UserError
from vlpbench.files import written_whole

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["copy_columns"]

_FEW = 4
"""A column has few values where each stands in so many rows on average: they are written once, and then numbered."""

_LEVEL = 19
"""Of zstd: files that are kept for good are written once and read often."""


def copy_columns(source: Path, names: Sequence[str], target: Path) -> None:
    """Write these columns of `source` to `target`, whole or not at all; equal columns give equal bytes (same pyarrow).

    UserError where the source cannot be read.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(source, columns=list(names), page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"cannot read predictions: {error}", str(source), "run the grid again") from error
    ways = {name: way for name in table.column_names if (way := _encoding(table.column(name)))}
    with written_whole(target) as temporary:
        parquet.write_table(
            table, temporary, compression="zstd", compression_level=_LEVEL, write_statistics=False,
            write_page_checksum=True, store_schema=_says_more(table), column_encoding=ways or None,
            use_dictionary=[name for name in table.column_names if name not in ways] if ways else True,
        )


def _encoding(column: pa.ChunkedArray) -> str:
    """How a column of many values is written; empty for one of few, and for one of any other kind."""
    from pyarrow import compute

    way = _WAYS.get(str(column.type), "")
    if way and compute.count_distinct(column).as_py() * _FEW <= len(column):
        return ""
    return way


_WAYS = {
    "int64": "DELTA_BINARY_PACKED",  # ids that count up
    "string": "DELTA_BYTE_ARRAY",  # names that begin alike
    "double": "BYTE_STREAM_SPLIT",
}
"""Kind of a column that has many values -> how parquet packs it best."""


def _says_more(table: pa.Table) -> bool:
    """Whether the schema says more than parquet's own types do: that a column holds JSON, or a type of Arrow alone."""
    return any(field.metadata or str(field.type) not in (*_WAYS, "bool") for field in table.schema)
