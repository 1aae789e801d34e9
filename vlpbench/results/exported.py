"""The frame as one file that can be sent to somebody: parquet, with what the grids said, floors and notes beside it.

Tables of a file say all that those of its folder say. Settings, single examples and curves stay with the records.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError
from vlpbench.files import written_whole
from vlpbench.results.columns import FRAME_SCHEMA, NUMBERS, upgraded
from vlpbench.results.grid_order import GridOrder
from vlpbench.results.kept_notes import KeptNotes
from vlpbench.results.notes import gap_notes, protocol_in_brief, protocol_notes
from vlpbench.results.tables.selection import narrowed

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["Exported", "export", "read_exported"]

_KEY = b"vlpbench"


@dataclass(frozen=True)
class Exported:
    """What a file holds."""

    frame: pd.DataFrame
    """With the columns of this version."""
    orders: tuple[GridOrder, ...]
    """What the grids said."""
    floors: pd.DataFrame
    """grid, floor, task, metric, value."""
    notes: tuple[KeptNotes, ...] = ()
    """What the records said, one a grid; none of a file of an earlier version, and of CSV."""


def export(results: Results, path: Path) -> None:
    """Write the frame as parquet, whole or not at all; UserError for another suffix."""
    import pyarrow as pa
    from pyarrow import parquet

    if path.suffix != ".parquet":
        meant = path.with_suffix(".parquet").name
        raise UserError("a frame is exported as parquet", str(path), f"did you mean {meant}?")
    told = {
        "schema": FRAME_SCHEMA,
        "orders": [dataclasses.asdict(order) for order in results.orders],
        "floors": results.floors().to_dict("records"),
        "notes": [dataclasses.asdict(one) for one in _notes(results)],
    }
    table = pa.Table.from_pandas(results.frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _KEY: json.dumps(told).encode()}
    with written_whole(path) as temporary:
        parquet.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def read_exported(path: Path) -> Exported:
    """All that is in a file that `export` wrote, of this version or an earlier one.

    A CSV file of the frame is taken, too; its order of rows is that of its lines, and it knows no floors.
    """
    import pandas as pd
    import pyarrow as pa
    from pyarrow import parquet

    try:
        if path.suffix == ".csv":
            missing = {name: [""] for name in NUMBERS}
            frame, told = pd.read_csv(path, keep_default_na=False, na_values=missing), dict[str, Any]()
        else:
            table = parquet.read_table(path)
            frame, told = table.to_pandas(), json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"cannot read a frame: {error}", str(path), "name what Results.export wrote") from error
    schema = int(told.get("schema", _schema_of(frame)))
    frame = upgraded(frame, schema, str(path))
    orders = tuple(GridOrder(**_tuples_of(one)) for one in told.get("orders", ()))
    floors = pd.DataFrame(told.get("floors", []), columns=["grid", "floor", "task", "metric", "value"])
    notes = tuple(KeptNotes(**_tuples_of(one)) for one in told.get("notes", ()))
    return Exported(frame, orders or _orders(frame), floors.astype({"value": float}), notes)


def _notes(results: Results) -> list[KeptNotes]:
    """What tables of each whole grid say, in the words that they have where no other grid stands beside it."""
    found, frame = [], results.frame
    for order in results.orders:
        mine = frame[frame["grid"] == order.name]
        part = narrowed(results, mine)
        said = [tuple(of(part)) for of in (protocol_notes, gap_notes, protocol_in_brief)]
        cells, tasks = dict.fromkeys(map(str, mine["cell"])), dict.fromkeys(map(str, mine["task"]))
        found.append(KeptNotes(order.name, tuple(cells), tuple(tasks), *said))
    return found



def _schema_of(frame: pd.DataFrame) -> int:
    """The version of columns that nobody told."""
    came = ("peak_bytes", "better", "pairs_per_second")  # with the second version, the third, the fourth
    return 1 + next((number for number, column in enumerate(came) if column not in frame), len(came))


def _tuples_of(said: dict[str, Any]) -> dict[str, Any]:
    """The same with tuples for lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}


def _orders(frame: pd.DataFrame) -> tuple[GridOrder, ...]:
    """What the lines themselves say of their grids."""
    found = []
    for name, mine in frame.groupby("grid", sort=False):
        cells = mine.drop_duplicates("cell")
        found.append(GridOrder(
            str(name), "", tuple(mine["row"].unique()), tuple(mine["task"].unique()),
            {cell: {"row": row, "seed": seed, "reason": None}
             for cell, row, seed in zip(cells["cell"], cells["row"], cells["seed"], strict=True)},
            published=_published(mine),
        ))
    return tuple(found)


def _published(mine: pd.DataFrame) -> dict[str, dict[str, float]]:
    there = mine[mine["published"].notna()]
    found: dict[str, dict[str, float]] = {}
    for row, task, metric, value in there[["row", "task", "metric", "published"]].itertuples(index=False):
        found.setdefault(row, {})[f"{task}.{metric}"] = float(value)
    return found
