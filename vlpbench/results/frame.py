"""Records as one tidy DataFrame: a row for each cell x task x metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError, unknown
from vlpbench.results.columns import COLUMNS, FRAME_SCHEMA, upgraded
from vlpbench.results.compute.cells import cell_time
from vlpbench.results.compute.rows import alone_seconds
from vlpbench.results.curves import curves
from vlpbench.results.example_scores import examples
from vlpbench.results.exported import export, read_exported
from vlpbench.results.floors import floors
from vlpbench.results.frame_lines import lines_of, lines_of_missing
from vlpbench.results.grid_order import GridOrder
from vlpbench.results.kept_notes import KeptNotes
from vlpbench.results.merged_frames import Part, merged_frames
from vlpbench.results.merging import Merged, merged
from vlpbench.results.plots import draw
from vlpbench.results.records import Record, read_folder
from vlpbench.results.settings_frame import settings_frame
from vlpbench.results.table import wide
from vlpbench.results.tables import Asked, Table, build

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Results", "load"]


@dataclass(frozen=True)
class Results:
    """What one or several results folders hold."""

    frame: pd.DataFrame
    """Tidy: one row for each cell x task x metric, columns as in `COLUMNS`."""
    folders: tuple[Path, ...]
    """What was read, in the order given."""
    orders: tuple[GridOrder, ...]
    """What each grid said of its rows and tasks: one a grid."""
    conflicts: tuple[str, ...] = ()
    """A sentence for each contradiction between folders, and what was done about it."""
    held: tuple[Record, ...] = ()
    """The records of all cells that were begun, whatever became of them: grid by grid, rows in the grid's order, seeds
    ascending; none of an exported frame."""
    kept_floors: pd.DataFrame | None = None
    """Floors of exported frames, which have no records."""
    kept_notes: tuple[KeptNotes, ...] = ()
    """What records said of exported frames when they were exported."""

    def records(self) -> tuple[Record, ...]:
        """The records of all finished cells, each once, read when the results were loaded."""
        return tuple(one for one in self.held if one.scores)

    def wide(self, metrics: Sequence[str] | None = None, beside: Sequence[str] | None = None) -> pd.DataFrame:
        """The table: one line a row, one column a task and metric; cells are "mean ± std", with n where it differs.

        `beside` names columns (`image_tokens`, `flops`) right after the row's name; None takes those of the grid.
        """
        return wide(self, metrics, beside)

    def table(self, **choices: Any) -> Table:
        """The table with its caption and notes; `choices` are the fields of `tables.Asked`, lists or a name for tuples.

        `markdown`, `latex`, `html`, `styler` and `frame` of `vlpbench.results.tables` write it. UserError for what is
        not known, with the nearest right name.
        """
        for name in choices:
            if name not in Asked.__dataclass_fields__:
                raise unknown("choice of a table", name, Asked.__dataclass_fields__)
        return build(self, Asked(**{name: _as_tuple(name, value) for name, value in choices.items()}))

    def plot(self, kind: str = "bars", **options: Any) -> Figure:
        """A figure of a kind (`plots.PLOTS`): bars, curves, compute, recalls, questions, heatmap, reproduction."""
        return draw(self, kind, **options)

    def settings(self) -> pd.DataFrame:
        """One line a cell: grid, row, cell, seed, status, and every setting under its dotted key (`optim.lr`)."""
        return settings_frame(self)

    def examples(self, task: str, metric: str) -> pd.DataFrame:
        """One line a finished cell and example: grid, row, cell, seed, task, metric, example, image, score.

        The mean of a cell's scores is its value; UserError for a metric that is no such mean (BLEU, METEOR, medians).
        """
        return examples(self, task, metric)

    def curves(self) -> pd.DataFrame:
        """One line a number logged in training: grid, row, cell, seed, stage, step, name, value."""
        return curves(self)

    def floors(self) -> pd.DataFrame:
        """One line a floor (chance, majority), task and metric, with its value: the same for all rows."""
        return floors(self)

    def export(self, path: str | Path) -> None:
        """Write the frame as one parquet file, which `load` reads; columns are versioned (`FRAME_SCHEMA`)."""
        export(self, Path(path))


def load(*paths: str | Path) -> Results:
    """Read one or more results folders (`results/demo`), or frames that were exported (`demo.parquet`).

    What is of one grid is joined: a cell that is in several counts once, seeds of several add up. What contradicts is
    in `conflicts`. UserError for a folder without any record.
    """
    import pandas as pd

    named = tuple(Path(path) for path in paths)
    files = [path for path in named if path.suffix in (".parquet", ".csv") and not path.is_dir()]
    found = merged([read_folder(path) for path in named if path not in files])
    lines = upgraded(pd.DataFrame(list(_lines(found)), columns=list(COLUMNS)), FRAME_SCHEMA)
    if not files:
        return Results(lines, named, found.orders, found.conflicts, found.records)
    none = pd.DataFrame(columns=["grid", "floor", "task", "metric", "value"]).astype({"value": float})
    told = {path: read_exported(path) for path in dict.fromkeys(files)}
    parts = [Part(str(path), one.frame, one.orders, one.floors) for path, one in told.items()]
    whole, conflicts = merged_frames([Part("", lines, found.orders, none), *parts])
    return Results(
        whole.frame, named, whole.orders, (*found.conflicts, *conflicts), found.records, whole.floors,
        tuple(dict.fromkeys(note for one in told.values() for note in one.notes)),
    )


def _as_tuple(name: str, value: Any) -> Any:
    """Lists as tuples, and one name where several may stand; UserError for `where` that is no dictionary."""
    if name == "where" and isinstance(value, str):
        raise UserError(f"{value!r} is no setting with a value", name, 'say where={"objective": "prefix-lm"}')
    if isinstance(value, str) and name in ("rows", "columns", "tasks", "metrics", "beside"):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _lines(found: Merged) -> Iterator[dict[str, Any]]:
    """The lines of all cells, grid by grid."""
    times = {(one.order.name, one.id): cell_time(one) for one in found.records}
    alone = alone_seconds([time for time in times.values() if time.state == "done"])
    for order in found.orders:
        mine = [one for one in found.records if one.order is order]
        for one in mine:
            name = (order.name, one.id)
            yield from lines_of(one, times[name], alone.get(name))
        yield from lines_of_missing(order, {one.id for one in mine}, found.unreadable)
