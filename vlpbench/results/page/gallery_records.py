"""Columns of stored predictions, of chosen examples or of all: no more of a file is kept than is shown."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Predictions"]


@dataclass(frozen=True)
class Predictions:
    """One task's predictions of one cell."""

    path: Path
    """The parquet file."""
    key: str
    """The column that tells its examples apart."""
    names: frozenset[str]
    """All columns there are."""

    @classmethod
    def at(cls, path: Path, key: str) -> Predictions:
        """Look at a file's schema; UserError where it cannot be read or lacks the column `key`."""
        import pyarrow as pa
        from pyarrow import parquet

        try:
            names = frozenset(parquet.read_schema(path).names)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise UserError(f"cannot read predictions: {error}", str(path), "run the grid again") from error
        if key not in names:
            raise UserError(f"these predictions have no column {key!r}", str(path), "run the grid again")
        return cls(path, key, names)

    def column(self, name: str) -> list[Any]:
        """One column of all examples; None for each where there is no such column."""
        if name not in self.names:
            return [None] * self._table([self.key]).num_rows
        return _plain(self._table([name]), name)

    def numbers(self, name: str, keys: Sequence[Any]) -> NDArray[np.float64]:
        """A column of numbers in the order of `keys`; NaN where there is none."""
        given = [np.nan if one is None else float(one) for one in self.column(name)]
        mine = self.column(self.key)
        if mine == list(keys):
            return np.array(given, np.float64)
        held = dict(zip(mine, given, strict=True))
        return np.array([held.get(key, np.nan) for key in keys], np.float64)

    def rows(self, keys: Collection[Any], names: Sequence[str]) -> dict[Any, dict[str, Any]]:
        """By key, these columns (those that there are) of these examples (those that there are)."""
        wanted = [self.key, *(name for name in dict.fromkeys(names) if name in self.names and name != self.key)]
        table = self._table(wanted)
        place = {key: at for at, key in enumerate(_plain(table.select([self.key]), self.key)) if key in keys}
        chosen = table.take(np.array(list(place.values()), np.int64))
        columns = {name: _plain(chosen, name) for name in wanted}
        return {key: {name: columns[name][at] for name in wanted} for at, key in enumerate(place)}

    def _table(self, names: Sequence[str]) -> pa.Table:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            return parquet.read_table(self.path, columns=list(names), page_checksum_verification=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise UserError(f"cannot read predictions: {error}", str(self.path), "run the grid again") from error


def _plain(table: pa.Table, name: str) -> list[Any]:
    """A column as it was before it was written; what parquet would have changed lies there as JSON."""
    values: list[Any] = table.column(name).to_pylist()
    said = table.schema.field(name).metadata or {}
    return [json.loads(value) for value in values] if said.get(b"vlpbench") == b"json" else values
