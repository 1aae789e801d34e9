"""Records as one tidy DataFrame: a row for each cell x task x metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.config.known import backbone_parts
from vlpbench.errors import UserError, nearest
from vlpbench.records import CellFolder, cell_folders
from vlpbench.results.floors import floors
from vlpbench.results.grid_order import GridOrder, read_order
from vlpbench.results.table import wide

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "Results", "load"]

COLUMNS: Mapping[str, str] = {
    "grid": "name of the grid",
    "row": "line of the table",
    "cell": "id of the cell (12 hexadecimal digits)",
    "objective": "weighted sum of objectives, or none",
    "stem": "image to tokens",
    "trunk": "wiring of the transformer",
    "size": "nano to huge",
    "seed": "equal seeds are paired across rows",
    "blind": "whether every image was blanked",
    "task": "vqa, captioning, retrieval, classification; behind an @ its form, and its protocol if it is no fine-tune",
    "protocol": "fine-tune, probe or zero-shot",
    "head": "form of the readout",
    "data": "data set that was scored",
    "split": "split that was scored",
    "images": "number of images that were scored",
    "normalisation": "rule by which answers were normalised (2016, 2021, always), or none; empty where there are none",
    "metric": "name of the score",
    "value": "percent, but for captions pycocoevalcap's own scale; NaN where there is none",
    "published": "the number that a paper prints for this row, where the grid gives one",
    "status": "done, failed, timeout, pending, damaged, or n/a",
    "reason": "why there is no value",
    "metrics_version": "version of the metric set that measured it",
    "parameters": "trained numbers of the backbone as pretrained, or as its tasks ask for it where nothing is",
    "image_tokens": "P, tokens of a picture",
    "samples": "samples seen in pretraining",
    "target_tokens": "terms that the pretraining loss was a mean of: target tokens, or pairs",
    "flops": "floating-point operations of pretraining, counted",
    "fine_tune_samples": "samples seen in this task's fine-tune",
    "seconds": "wall time of the cell's stages",
    "device": "device's model",
}
"""The columns of the frame, each with its meaning and unit."""

_DAMAGED = "a file of the record is missing or changed"


@dataclass(frozen=True)
class Results:
    """What one or several results folders hold."""

    frame: pd.DataFrame
    """Tidy: one row for each cell x task x metric, columns as in `COLUMNS`."""
    folders: tuple[Path, ...]
    """The grids' folders, in the order given."""
    orders: tuple[GridOrder, ...]
    """What each grid said of its rows and tasks."""

    def finished(self) -> Iterator[tuple[GridOrder, CellFolder]]:
        """The records of all finished cells of the frame, each once, with what its grid said."""
        known = self.frame["parameters"].notna()  # of what is done; seconds may be lost
        scored = self.frame.loc[known, ["grid", "cell"]].drop_duplicates()
        done = set(zip(scored["grid"], scored["cell"], strict=True))
        for folder, order in zip(self.folders, self.orders, strict=True):
            for cell in cell_folders(folder):
                name = (order.name, cell.path.name.rpartition("-")[2])
                if name in done:
                    done.remove(name)
                    yield order, cell

    def wide(self, metrics: Sequence[str] | None = None, beside: Sequence[str] | None = None) -> pd.DataFrame:
        """The table: one line a row, one column a task and metric; cells are "mean ± std", with n where it differs.

        `beside` names columns (`image_tokens`, `flops`) right after the row's name; None takes those of the grid.
        """
        return wide(self, metrics, beside)

    def floors(self) -> pd.DataFrame:
        """One line a floor (chance, majority), task and metric, with its value: the same for all rows."""
        return floors(self)


def load(*paths: str | Path) -> Results:
    """Read one or more results folders (`results/demo`); UserError for a folder without any record.

    A cell of one grid that lies in several folders counts once: equal ids are equal numbers.
    """
    import pandas as pd

    folders = tuple(Path(path) for path in paths)
    rows: list[dict[str, Any]] = []
    orders = []
    for folder in folders:
        order = read_order(folder)
        there = {row["cell"] for row in rows if row["grid"] == order.name}
        found = list(cell_folders(folder))
        if not found and not order.cells:
            raise UserError(f"there are no records in {folder}", remedy=_remedy(folder))
        asked = [one for one in (_asked(cell, order) for cell in found) if one is not None]
        mine = [row for cell, said in asked for row in _rows(cell, said, order)]
        rows.extend(row for row in mine if row["cell"] not in there)
        rows.extend(_missing(order, found, there | {row["cell"] for row in mine}))
        orders.append(order.with_published(said for _, said in asked))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame = frame.astype({"value": float, "published": float}).astype({"images": "Int64", "metrics_version": "Int64"})
    return Results(frame, folders, tuple(orders))


def _remedy(folder: Path) -> str:
    """The results folder that was probably meant: one inside, or the one beside it that is called most like it."""
    inside = sorted({one.parent.parent for one in folder.glob("*/cells/*")})
    beside = {one.parent.parent.name for one in folder.parent.glob("*/cells/*")}
    near = nearest(folder.name, sorted(beside))
    meant = inside[0] if inside else folder.parent / near if near else None
    return f"did you mean {meant}?" if meant else "run a grid first"


def _asked(cell: CellFolder, order: GridOrder) -> tuple[CellFolder, Mapping[str, Any]] | None:
    """A cell with the content of its settings; None for one that its grid no longer has, or under another name."""
    try:
        asked = cell.read("settings.json")
    except UserError:
        if order.cells:
            return None  # the grid's own file tells of it: `_missing`
        raise
    if order.cells and order.cells.get(asked["id"], {}).get("row") != asked["row"]:
        return None
    return cell, asked


def _rows(cell: CellFolder, asked: Mapping[str, Any], order: GridOrder) -> Iterator[dict[str, Any]]:
    """The lines of one cell."""
    state = cell.state()
    base = _settings(asked) | {"grid": order.name, "status": state}
    if state != "done":
        reason = cell.status().get("cause", "") or {"damaged": _DAMAGED}.get(state, "")
        yield from (base | {"task": task, "metric": "", "reason": reason} for task in asked["settings"]["tasks"])
        return
    scores = cell.read("scores.json")
    cost = scores["cost"]
    base |= {
        "parameters": cost["parameters"], "image_tokens": cost["image_tokens"], "samples": cost["samples"],
        "target_tokens": cost["targets"], "flops": cost["flops"], "seconds": cell.facts("timing").get("total"),
        "device": cell.facts("environment").get("device", ""),
    }
    for task, found in scores["tasks"].items():
        if "values" not in found:
            yield base | {"task": task, "metric": "", "status": "n/a", "reason": found["reason"]}
            continue
        told = found.get("told", {})
        shared = base | {
            "task": task, "protocol": found["protocol"], "head": found["head"], "data": found["data"],
            "split": found["split"], "images": told.get("images"), "metrics_version": scores.get("metrics", 1),
            "fine_tune_samples": found["fine_tune"]["samples"],
        }
        for metric, value in found["values"].items():
            published = asked["published"].get(f"{task}.{metric}")
            reason = found["reasons"].get(metric, "")
            yield shared | {
                "metric": metric, "value": value, "published": published, "reason": reason,
                "normalisation": _normalisation(metric, told),
            }


def _normalisation(metric: str, told: Mapping[str, Any]) -> str:
    """The rule behind one score of answers: that of its name, else the task's; none where answers are as written."""
    name, _, which = metric.partition("[")
    if which.startswith("rule="):
        return which.removeprefix("rule=").rstrip("]")
    return "none" if name == "exact" else str(told.get("normalisation", ""))


def _settings(asked: Mapping[str, Any]) -> dict[str, Any]:
    stem, trunk, size = backbone_parts(asked["settings"]["backbone"])
    return {
        "row": asked["row"], "cell": asked["id"], "seed": asked["seed"],
        "objective": asked["settings"]["objective"], "blind": asked["settings"]["blind"],
        "stem": stem, "trunk": trunk, "size": size,
    }


def _is_unreadable(cell: CellFolder) -> bool:
    try:
        cell.read("settings.json")
    except UserError:
        return True
    return False


def _missing(order: GridOrder, found: Sequence[CellFolder], there: set[str]) -> Iterator[dict[str, Any]]:
    """Cells of the grid without a line: not run yet, with a reason not to, or of settings that cannot be read."""
    broken = {cell.path.name.rpartition("-")[2] for cell in found if _is_unreadable(cell)}
    for cell, said in order.cells.items():
        if cell in there:
            continue
        reason = said["reason"] or ""
        status = "n/a" if reason else "pending"
        if cell in broken:
            status, reason = "damaged", _DAMAGED
        for task in order.tasks:
            yield {
                "grid": order.name, "row": said["row"], "cell": cell, "seed": said["seed"], "task": task,
                "metric": "", "status": status, "reason": reason,
            }
