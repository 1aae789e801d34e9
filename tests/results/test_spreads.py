"""What a place of a table holds, however its cells ended."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vlpbench.results import load
from vlpbench.results.spreads import Spread, Spreads, half_interval, spreads_of


def spreads(grid: Any) -> Spreads:
    frame = load(grid.folder).frame
    return spreads_of(frame, list(zip(frame["grid"], frame["row"], strict=True)))


def test_numpys_mean_and_std() -> None:
    values = (41.25, 39.5, 44.75)
    spread = Spread(values)
    assert spread.mean == pytest.approx(np.mean(values)) and spread.std == pytest.approx(np.std(values, ddof=1))
    assert np.isnan(Spread().mean) and np.isnan(Spread((1.0,)).std) and np.isnan(half_interval(Spread((1.0,))))
    assert np.isnan(half_interval(Spread((2.0, 2.0, 2.0))))


def test_the_interval_has_its_level() -> None:
    from scipy import stats

    values = (60.0, 64.0, 59.0)
    for level in (0.9, 0.95):
        low, high = stats.t.interval(level, 2, loc=61.0, scale=stats.sem(values))
        assert half_interval(Spread(values), level) == pytest.approx((high - low) / 2)


def test_cells_that_failed_are_counted_and_named(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    failed = grid.failed("a", 1, "out of memory").read("settings.json")["id"]
    grid.plan("a", 2)
    spread = spreads(grid).of(("small", "a"), "vqa", "accuracy")
    assert spread is not None
    assert (spread.n, spread.wanted, spread.status, spread.bad) == (1, 3, "done", (failed,))
    assert spread.reason == "out of memory"


@pytest.mark.parametrize(
    ("ends", "status"),
    [(("failed", "pending"), "pending"), (("failed", "failed"), "failed"), (("pending", "n/a"), "n/a")],
)
def test_what_is_still_to_come_goes_before_what_failed(grid: Any, ends: tuple[str, ...], status: str) -> None:
    for seed, end in enumerate(ends):
        if end == "failed":
            grid.failed("a", seed, "no")
        else:
            grid.plan("a", seed, "n/a: dual has no decoder" if end == "n/a" else None)
    spread = spreads(grid).of(("small", "a"), "vqa", "")
    assert spread is not None and spread.status == status


def test_a_place_without_the_task_has_nothing(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    found = spreads(grid)
    assert found.of(("small", "a"), "retrieval", "TR@1") is None
    assert found.of(("small", "b"), "vqa", "accuracy") is None
    assert found.metrics == {"vqa": ("accuracy",)} and found.valued == {("vqa", "accuracy")}
