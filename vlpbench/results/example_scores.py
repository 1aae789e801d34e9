"""Scores of single examples: as a tidy frame, and of one row summed over the examples of each image.

Metrics that are the mean of scores of examples have them: VQA accuracy, R@k, class accuracy, CIDEr and ROUGE-L of each
image, word weights fixed by the whole set, and any metric of a plugin. That a mean is the recorded value is checked,
cell by cell. BLEU and METEOR are of the whole set, medians and sums of recalls of no mean: UserError says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.errors import UserError, unknown
from vlpbench.metrics.recall import Ranks
from vlpbench.records import CellFolder
from vlpbench.results.records import Record

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["OF_THE_SET", "ImageScores", "example_columns", "examples", "image_scores"]

_WAYS = {"TR": "image to text", "IR": "text to image"}
_NAMES = ("question_id", "image_id", "query")
"""Columns that may name an example, the first there is."""

OF_THE_SET = ("Bleu_", "METEOR")
"""Metrics that count over the whole set: what they say of single captions has another mean."""


@dataclass(frozen=True)
class ImageScores:
    """Scores of one row in one task and metric. Axes: S seeds, I images (what new examples would come with)."""

    seeds: tuple[int, ...]
    """S, ascending."""
    images: tuple[str, ...]
    """I, ids in the order of the set."""
    sums: NDArray[np.float64]
    """S, I: the scores of an image's examples, summed; the score of a seed is sums.sum() / counts.sum()."""
    counts: NDArray[np.float64]
    """I: how many examples each image has."""


def examples(results: Results, task: str, metric: str) -> pd.DataFrame:
    """grid, row, cell, seed, task, metric, example, image, score: one line an example of each finished cell.

    Scores have the scale of the frame's values. UserError for a task or metric that no cell has, and for a metric that
    is no mean of scores of examples.
    """
    import pandas as pd

    there = [one for one in results.records() if _value(one, task, metric) is not None]
    if not there:
        raise _nothing(results, task, metric)
    parts = []
    for one in there:
        names, images, scores = _of_cell(one, task, metric)
        parts.append(pd.DataFrame({
            "grid": one.order.name, "row": one.asked["row"], "cell": one.id, "seed": one.asked["seed"],
            "task": task, "metric": metric, "example": names, "image": images, "score": scores,
        }))
    return pd.concat(parts, ignore_index=True)


def image_scores(results: Results, grid: str, row: str, task: str, metric: str) -> ImageScores:
    """What a row's finished cells scored on each image.

    UserError where a metric is no mean of scores of examples, where the row has no value, and where its seeds were
    scored on different examples.
    """
    mine = [
        one for one in results.records()
        if one.order.name == grid and one.asked["row"] == row and _value(one, task, metric) is not None
    ]
    if not mine:
        raise UserError(f"row {row!r} of {grid} has no value of {task} {metric}")
    mine.sort(key=lambda one: int(one.asked["seed"]))
    order: dict[str, int] = {}
    sums, counts, asked = [], np.zeros(0), None
    for one in mine:
        names, images, scores = _of_cell(one, task, metric)
        if asked is None:
            for image in images:
                order.setdefault(image, len(order))
            asked, counts = names, np.bincount([order[image] for image in images], minlength=len(order)).astype(float)
        elif names != asked:
            raise UserError(f"seeds of row {row!r} were scored on different examples of {task}", str(one.cell.path))
        sums.append(np.bincount([order[image] for image in images], weights=scores, minlength=len(order)))
    return ImageScores(tuple(int(one.asked["seed"]) for one in mine), tuple(order), np.stack(sums), counts)


def _nothing(results: Results, task: str, metric: str) -> UserError:
    """Why no cell has a value."""
    found = [one.scores["tasks"] for one in results.records()]
    if not found:
        return UserError("no finished cell has a record here", remedy="an exported frame has none: name the folder")
    tasks = sorted({name for one in found for name in one})
    if task not in tasks:
        return unknown("task", task, tasks)
    metrics = sorted({name for one in found for name in one.get(task, {}).get("values", {})})
    if metric not in metrics:
        return unknown("metric", metric, metrics)
    return UserError(f"no cell has a value of {task} {metric}")


def _value(one: Record, task: str, metric: str) -> float | None:
    value = one.scores["tasks"].get(task, {}).get("values", {}).get(metric)
    return None if value is None else float(value)


def _of_cell(one: Record, task: str, metric: str) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Names, images and scores of the examples of one cell, their mean checked against the recorded value."""
    path = one.cell.examples(task)
    names, images, scores = _read(path, metric)
    value = _value(one, task, metric)
    assert value is not None
    mean = float(scores.mean()) if len(scores) else math.nan
    for scale in (1.0, 100.0):  # rows keep shares where values are percent
        if math.isclose(mean * scale, value, rel_tol=1e-6, abs_tol=1e-9):
            return names, images, scores * scale
    raise UserError(f"the mean of the examples' {metric} is {mean:.6g} and the recorded value {value:.6g}", str(path),
                    f"{task} {metric} can be compared over seeds, not over examples")


def example_columns(cell: CellFolder, task: str, metrics: Iterable[str]) -> list[str]:
    """The columns of a finished cell's predictions from which its scores of examples are read, in these metrics.

    Captions' scores by metrics of the whole set are none. UserError where the predictions are not there, or cannot be
    read.
    """
    path = cell.examples(task)
    there = _there(path)
    kept = dict.fromkeys(name for name in _NAMES if name in there)
    for metric in metrics:
        if not metric.startswith(OF_THE_SET):
            with suppress(UserError):  # of medians and sums there is nothing to keep
                kept |= dict.fromkeys(_columns(metric, there, path))
    return list(kept)


def _read(path: Path, metric: str) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Only the columns that are needed, of those rows that the metric is about (`accuracy[answer_type=number]`)."""
    import pyarrow as pa
    from pyarrow import parquet

    names = _columns(metric, _there(path), path)
    try:
        rows = parquet.read_table(path, columns=names).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"cannot read predictions: {error}", str(path), "run the grid again") from error
    column, alike, wanted = _parts(metric)
    if alike:
        rows = [row for row in rows if str(row[alike]) == wanted]
    if column not in names:
        way, _, k = column.partition("@")
        rows = [row for row in rows if row["direction"] == _WAYS[way]]
        scores = _hits(rows, int(k))
    else:
        rows = [row for row in rows if row[column] is not None]  # a metric of a plugin may say nothing about one
        scores = np.array([row[column] for row in rows], np.float64)
    examples = [str(row[names[0]]) for row in rows]
    return examples, [_image(row, name) for row, name in zip(rows, examples, strict=True)], scores


def _there(path: Path) -> list[str]:
    """The columns of a file; UserError where it is not there, or cannot be read."""
    import pyarrow as pa
    from pyarrow import parquet

    if not path.is_file():
        raise UserError("the record has no predictions of this task", str(path),
                        "copy the whole results folder, or compare over seeds")
    try:
        return list(parquet.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"cannot read predictions: {error}", str(path), "run the grid again") from error


def _parts(metric: str) -> tuple[str, str, str]:
    """`accuracy[kind=yes/no]`: its column, the column that says which rows it is about, and what stands there."""
    column, _, which = metric.partition("[")
    key, _, wanted = which.rstrip("]").partition("=")
    return column, _KINDS.get(key, key), wanted


def _columns(metric: str, there: Sequence[str], path: Path) -> list[str]:
    """The columns that a metric is read from, the examples' names first; UserError where it has no such scores."""
    column, alike, _ = _parts(metric)
    way, at, _ = column.partition("@")
    scored = ("better", "tied", "right", "direction") if way in _WAYS and at else (column,)
    if not set(scored) <= set(there) or (alike and alike not in there):
        raise UserError(f"{metric} is no mean of scores of single examples", str(path),
                        "it can be compared over seeds, not over examples")
    return list(dict.fromkeys([*(name for name in (*_NAMES, alike) if name in there), *scored]))


_KINDS = {"kind": "question_type", "answer_kind": "answer_type"}
"""Parts of a metric's name that a row calls otherwise."""


def _hits(rows: Sequence[Mapping[str, Any]], k: int) -> NDArray[np.float64]:
    better, tied, right = (np.array([row[name] for row in rows], np.int64) for name in ("better", "tied", "right"))
    return Ranks(better, tied, right).hits(k)


def _image(row: Mapping[str, Any], name: str) -> str:
    """The image that an example hangs on: its own, or a text query's, whose name is the image's and a number."""
    if "image_id" in row:
        return str(row["image_id"])
    return name.rpartition("/")[0] or name
