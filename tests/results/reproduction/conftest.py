"""A made-up ablation: published numbers, seeds that are paired, and a gap or two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vlpbench.results import load

PUBLISHED = {"full": 67.43, "none": 49.70, "plain": 65.23, "swapped": 66.71, "same": 67.43, "close": 67.0}
OURS = {
    "full": (60.1, 61.4, 59.2, 60.8, 62.0), "none": (41.0, 43.5, 40.2, 42.9, 42.0),
    "plain": (59.0, 61.9, 57.7, 61.0, 61.1), "swapped": (61.3, 62.2, 60.5, 61.7, 63.4),
    "same": (62.1, 63.0, 61.6, 62.2, 64.4), "close": (60.0, 61.6, 59.1, 60.9, 61.9),
}
"""Beside `full`: reproduced, not shown, opposite, without a sign, and (where 1 is the margin) no difference."""


@pytest.fixture
def ablation(grid: Any) -> Callable[..., Any]:
    """ablation(scores=None, published=None): results of one task; a score of None is a seed that failed."""

    def made(scores: dict[str, Any] | None = None, published: dict[str, float] | None = None) -> Any:
        grid.tasks, grid.reference = ("vqa",), "full"
        grid.published = {row: {"vqa.accuracy": value} for row, value in (published or PUBLISHED).items()}
        for row, values in (scores or OURS).items():
            for seed, value in enumerate(values):
                if value is None:
                    grid.failed(row, seed, "no memory")
                else:
                    grid.done(row, seed, {"accuracy": value})
        grid.close()
        return load(grid.folder)

    return made


@pytest.fixture
def published() -> dict[str, float]:
    """Row -> what a paper prints."""
    return dict(PUBLISHED)


@pytest.fixture
def ours() -> dict[str, tuple[float, ...]]:
    """Row -> one score a seed."""
    return dict(OURS)
