"""Every prediction of a task as a parquet file: one row a question, picture or query.

Rows come back with the types they had, so that a score is the same whether its rows were read or just made: a column
that parquet would change (numbers of two kinds, dictionaries) is kept as JSON, and says so. Tuples and
arrays come back as lists, a column that a row lacks as None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError
from vlpbench.files import written_whole

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_predictions", "write_predictions"]

_AS_JSON = {b"vlpbench": b"json"}
"""What a column says that holds JSON."""


def write_predictions(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows, whole or not at all; equal rows give equal bytes (same pyarrow).

    TypeError for what is neither text, number, bool, None, array, nor a list or dictionary of such.
    """
    import pyarrow as pa
    from pyarrow import parquet

    names = dict.fromkeys(name for row in rows for name in row)  # pyarrow would look at the first row alone
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    fields = [pa.field(name, array.type, metadata=said) for name, (array, said) in columns.items()]
    table = pa.Table.from_arrays([array for array, _ in columns.values()], schema=pa.schema(fields))
    with written_whole(path) as temporary:
        parquet.write_table(table, temporary, compression="zstd", store_schema=True, write_page_checksum=True)


def read_predictions(path: Path) -> list[dict[str, Any]]:
    """The rows as they were written; a file that is cut short or damaged is a UserError.

    Pages have checksums; names and schema are guarded by the hash that the record or the stage keeps of the file.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, page_checksum_verification=True)
        rows: list[dict[str, Any]] = table.to_pylist()
        for name in [field.name for field in table.schema if (field.metadata or {}).items() >= _AS_JSON.items()]:
            for row in rows:
                row[name] = json.loads(row[name])
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise UserError(f"cannot read predictions: {error}", str(path), "run the grid again") from error
    return rows


def _column(values: Sequence[Any]) -> tuple[pa.Array, dict[bytes, bytes] | None]:
    """The values as parquet keeps them, if it gives the same back; else each as JSON. And what the column says."""
    import pyarrow as pa

    plain = json.loads(json.dumps(values, default=_plain))
    array = _kept(plain)
    return (pa.array([json.dumps(value) for value in plain]), _AS_JSON) if array is None else (array, None)


def _kept(plain: list[Any]) -> pa.Array | None:
    """The values as a column of parquet; None where it would give others back (or, of a dictionary, other keys)."""
    import pyarrow as pa

    try:
        array = pa.array(plain)
    except (pa.ArrowException, ValueError, OverflowError):  # of several kinds, larger than 64 bits, half a character
        return None
    same = "struct" not in str(array.type) and json.dumps(array.to_pylist()) == json.dumps(plain)
    return array if same else None


def _plain(value: Any) -> Any:
    """A number or an array of numpy or torch as Python has it."""
    if not hasattr(value, "tolist"):
        raise TypeError(f"a row cannot hold {value!r}")
    return value.tolist()
