"""The table: means and spreads are numpy's, and a cell that is missing is never averaged away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.table import header, summary

VALUES = [41.25, 39.5, 44.75]


def test_mean_and_spread_are_numpys(grid: Any) -> None:
    for seed, value in enumerate(VALUES):
        grid.done("a", seed, {"accuracy": value, "CIDEr": value / 100})
    results = load(grid.folder)
    line = summary(results).set_index("metric").loc["accuracy"]
    assert line["mean"] == pytest.approx(np.mean(VALUES)) and line["std"] == pytest.approx(np.std(VALUES, ddof=1))
    assert line["n"] == line["wanted"] == 3
    table = results.wide()
    mean, std = np.mean(VALUES), np.std(VALUES, ddof=1)
    assert table.loc["a"].tolist() == [f"{mean:.1f} ± {std:.1f}"] * 2
    assert table.columns.tolist() == ["vqa acc.", "captioning CIDEr ×100"]


def test_one_seed_has_no_spread(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 41.25})
    assert load(grid.folder).wide().loc["a", "vqa acc."] == "41.2"
    assert np.isnan(summary(load(grid.folder))["std"].iloc[0])


def test_n_is_said_where_it_differs(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    grid.done("a", 1, {"accuracy": 50.0})
    grid.failed("a", 2, "out of memory")
    grid.done("b", 0, {"accuracy": 60.0})
    grid.plan("b", 1)
    table = load(grid.folder).wide()["vqa acc."]
    assert table["a"] == "45.0 ± 7.1 (n=2/3)"
    assert table["b"] == "60.0 (n=1/2)"


def test_rows_without_a_number_say_why(grid: Any) -> None:
    grid.done("done", 0, {"accuracy": 40.0})
    grid.failed("failed", 0, "the loss is not finite at step 3")
    grid.plan("waiting", 0)
    grid.plan("impossible", 0, "n/a: dual has no decoder")
    (grid.done("damaged", 0, {"accuracy": 1.0}).path / "scores.json").unlink()
    table = load(grid.folder).wide()
    column = table["vqa acc."]
    assert column[["done", "failed", "waiting", "impossible", "damaged"]].tolist() == [
        "40.0", "failed", "pending", "n/a: dual has no decoder", "damaged"
    ]
    assert table.loc["done"].iloc[1] == "n/a: needs decode"


def test_a_metric_without_a_value_says_why(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "Bleu_4": 0.25, "CIDEr": None})
    line = load(grid.folder).wide().loc["a"]
    assert line["captioning BLEU-4 ×100"] == "25.0" and line["captioning CIDEr ×100"] == "there is one image"


def test_nothing_finished_is_a_table_all_the_same(grid: Any) -> None:
    grid.failed("a", 0, "no")
    table = load(grid.folder).wide()
    assert table.loc["a"].tolist() == ["failed", "failed"]
    assert table.columns.tolist() == ["vqa", "captioning"]


def test_rows_and_tasks_keep_the_grids_order(grid: Any) -> None:
    grid.tasks = ("captioning", "vqa")
    for row in ("zebra", "ant", "none"):
        grid.done(row, 0, {"accuracy": 1.0, "CIDEr": 0.1})
    table = load(grid.folder).wide()
    assert [row for row in table.index if "*" not in row] == ["zebra", "ant", "none"]
    assert table.columns.tolist() == ["captioning CIDEr ×100", "vqa acc."]


def test_floors_stand_under_the_rows(grid: Any) -> None:
    grid.failed("b", 0, "no")
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": 0.5})
    table = load(grid.folder).wide()
    assert table.index.tolist() == ["b", "a", "*chance*", "*majority*"]
    assert table.loc["*chance*"].tolist() == ["2.5", "10.0"]
    assert table.loc["*majority*"].tolist() == ["7.2", "–"]


def test_chosen_metrics(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "Bleu_4": 0.25, "CIDEr": 0.5})
    assert load(grid.folder).wide(["CIDEr"]).columns.tolist() == ["captioning CIDEr ×100"]


def test_a_metric_that_no_row_has_is_a_users_mistake(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": 0.5})
    with pytest.raises(UserError, match="unknown metric 'CIDER'") as caught:
        load(grid.folder).wide(["accuracy", "CIDER"])
    assert "did you mean 'CIDEr'?" in caught.value.remedy


def test_published_numbers(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0}, settings={"published": {"vqa.accuracy": 77.87}})
    assert load(grid.folder).wide().loc["a", "vqa acc."] == "40.0 [published 77.87]"


def test_several_grids_are_told_apart(grid: Any, another: Callable[..., Any]) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    other = another()
    other.done("a", 0, {"accuracy": 50.0})
    table = load(grid.folder, other.folder).wide(["accuracy"])
    assert table.iloc[:, 0].to_dict() == {
        "small: a": "40.0", "other: a": "50.0", "small: *chance*": "2.5", "small: *majority*": "7.2",
        "other: *chance*": "2.5", "other: *majority*": "7.2",
    }


def test_heads_of_columns() -> None:
    assert header("vqa", "accuracy") == "vqa acc."
    assert header("captioning@zero-shot", "Bleu_4") == "captioning@zero-shot BLEU-4 ×100"
    assert header("retrieval", "TR@1") == "retrieval TR@1"
    assert header("vqa", "") == "vqa"


def test_interval_is_the_t_interval_over_seeds(grid: Any) -> None:
    from scipy import stats

    for seed, value in enumerate((60.0, 64.0, 59.0)):
        grid.done("a", seed, {"accuracy": value})
    line = summary(load(grid.folder), ["accuracy"]).iloc[0]
    low, high = stats.t.interval(0.95, 2, loc=61.0, scale=stats.sem([60.0, 64.0, 59.0]))
    assert line["interval"] == pytest.approx((high - low) / 2)
