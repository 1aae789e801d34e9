"""What each row cost, beside its scores."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load
from vlpbench.results.cost import cost


def test_one_line_a_row_in_the_order_of_the_grid(grid: Any) -> None:
    grid.done("z first", 0, {"accuracy": 1.0})
    grid.done("a second", 0, {"accuracy": 1.0})
    grid.failed("never done", 0, "no")
    table = cost(load(grid.folder))
    assert list(table.index) == ["z first", "a second"]
    line = table.loc["z first"]
    assert line["parameters (M)"] == "0.60" and line["image tokens"] == "16" and line["pretraining TFLOP"] == "3.00"
    assert line["device"] == "cpu (x86_64)"


def test_no_finished_cell_no_line(grid: Any) -> None:
    grid.failed("a", 0, "no")
    assert cost(load(grid.folder)).empty
