"""Some columns of a parquet file as a small file of their own, which reads back as the same values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    import pyarrow as pa
    from pyarrow import compute

    kind: Any = column.type
    if not len(column) or compute.count_distinct(column).as_py() * _FEW <= len(column):
        return ""
    if pa.types.is_int64(kind) or pa.types.is_int32(kind):
        return "DELTA_BINARY_PACKED"  # ids that count up
    if pa.types.is_string(kind):
        return "DELTA_BYTE_ARRAY"  # names that begin alike
    return "BYTE_STREAM_SPLIT" if pa.types.is_floating(kind) else ""


def _says_more(table: pa.Table) -> bool:
    """Whether the schema says more than parquet's own types do: that a column holds JSON, or a type of Arrow alone."""
    plain = {"int64", "int32", "double", "float", "string", "bool"}
    return any(field.metadata or str(field.type) not in plain for field in table.schema)
