"""Tables for programs: one line a place and score, unrounded, with what was tested."""

from __future__ import annotations

import math
from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.tables import Asked, long


@pytest.fixture
def rows(grid: Any) -> Any:
    for row, start, lr in (("low", 40.0, 0.01), ("high", 60.0, 0.02)):
        for seed in range(3):
            settings = {"optim": {"lr": lr}}
            grid.done(row, seed, {"accuracy": start + seed * start / 50, "CIDEr": 0.5}, settings=settings)
    grid.begun("high", 3, optim={"lr": 0.02}).fail("no", {}, {})
    grid.published = {"high": {"vqa.accuracy": 67.43}}
    grid.close()
    return grid


def test_a_line_a_row_task_and_metric(rows: Any) -> None:
    found = long(load(rows.folder))
    assert found[["row", "task", "metric"]].to_numpy().tolist() == [
        ["low", "vqa", "accuracy"], ["low", "captioning", "CIDEr"],
        ["high", "vqa", "accuracy"], ["high", "captioning", "CIDEr"],
    ]
    assert found["mean"].tolist() == pytest.approx([40.8, 0.5, 61.2, 0.5])
    assert found["std"].tolist() == pytest.approx([0.8, 0.0, 1.2, 0.0])


def test_what_was_tested(rows: Any) -> None:
    found = long(load(rows.folder), Asked(baseline="low", metrics=("accuracy",))).set_index("row")
    high, low = found.loc["high"], found.loc["low"]
    assert high["baseline"] == "low" and high["difference"] == pytest.approx(20.4)
    assert high["low"] < high["difference"] < high["high"] and high["p"] == high["corrected"] < 0.05
    assert high["sign_flip"] == 0.25 and high["improvement"] == 1.0
    assert (high["n"], high["wanted"], high["failed"]) == (3, 4, 1)
    assert low["baseline"] == "" and math.isnan(low["difference"])
    assert found["is_best"].to_dict() == {"low": False, "high": True}
    assert high["published"] == 67.43 and math.isnan(low["published"])


def test_settings_have_columns_of_their_own(rows: Any) -> None:
    found = long(load(rows.folder), Asked(rows=("optim.lr",), columns=("stem",), tasks=("vqa",)))
    assert found.columns.tolist()[:4] == ["optim.lr", "stem", "task", "metric"]
    assert found[["optim.lr", "stem"]].to_numpy().tolist() == [["0.01", "conv3"], ["0.02", "conv3"]]


def test_costs_are_numbers(rows: Any) -> None:
    found = long(load(rows.folder), Asked(what="cost")).set_index("row")
    assert found.loc["low", "parameters (M)"] == 0.6 and found.loc["low", "samples seen"] == 36_000
    assert found.loc["low", "device"] == "cpu (x86_64)"
