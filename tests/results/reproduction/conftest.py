"""A made-up ablation as a frame: published numbers, seeds that are paired, and a gap or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import pytest

from vlpbench.results.columns import COLUMNS, FRAME_SCHEMA, upgraded
from vlpbench.results.frame import Results
from vlpbench.results.grid_order import GridOrder

PUBLISHED = {"full": 67.43, "none": 49.70, "plain": 65.23, "swapped": 66.71, "same": 67.43, "close": 67.0}
OURS = {
    "full": (60.1, 61.4, 59.2, 60.8, 62.0), "none": (41.0, 43.5, 40.2, 42.9, 42.0),
    "plain": (59.0, 61.9, 57.7, 61.0, 61.1), "swapped": (61.3, 62.2, 60.5, 61.7, 63.4),
    "same": (62.1, 63.0, 61.6, 62.2, 64.4), "close": (60.0, 61.6, 59.1, 60.9, 61.9),
}
"""Beside `full`: reproduced, not shown, opposite, without a sign, and (where 1 is the margin) no difference."""

Scores = Mapping[str, Sequence[float | str | None]]
"""Row -> a score a seed; None for a cell that failed, a word for the reason that there is none."""


def results_of(
    scores: Scores, published: Mapping[str, float], score: str = "vqa.accuracy", grid: str = "small"
) -> Results:
    """What `load` gives of such cells; the first row is the reference."""
    task, _, metric = score.partition(".")
    lines = []
    for row, values in scores.items():
        for seed, value in enumerate(values):
            line = {
                "grid": grid, "row": row, "cell": f"{len(lines):012x}", "seed": seed, "blind": False, "task": task,
                "metric": "", "reason": "", "status": "failed", "better": "", "head": "decoder", "split": "test",
            }
            if isinstance(value, str):
                line |= {"status": "n/a", "reason": value}
            elif value is not None:
                line |= {"metric": metric, "value": value, "status": "done", "better": "higher"}
            lines.append(line)
    frame = upgraded(pd.DataFrame(lines, columns=list(COLUMNS)), FRAME_SCHEMA)
    printed = {row: {score: value} for row, value in published.items()}
    order = GridOrder(grid, "", tuple(scores), (task,), {}, (), printed, next(iter(scores)))
    return Results(frame, (), (order,))


@pytest.fixture
def made() -> Callable[..., Results]:
    """`results_of`, for tests."""
    return results_of


@pytest.fixture
def ablation() -> Callable[..., Results]:
    """ablation(scores=None, published=None): results of one task."""
    return lambda scores=None, published=None: results_of(scores or OURS, published or PUBLISHED)


@pytest.fixture
def published() -> dict[str, float]:
    """Row -> what a paper prints."""
    return dict(PUBLISHED)


@pytest.fixture
def ours() -> dict[str, tuple[float, ...]]:
    """Row -> one score a seed."""
    return dict(OURS)
