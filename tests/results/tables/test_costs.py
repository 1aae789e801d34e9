"""What each row cost, as a table and beside its scores."""

from __future__ import annotations

from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.tables import Asked, build
from vlpbench.results.tables.entry_text import frame

COST = Asked(what="cost")


def test_one_line_a_row_in_the_order_of_the_grid(grid: Any) -> None:
    grid.done("z first", 0, {"accuracy": 1.0})
    grid.done("a second", 0, {"accuracy": 1.0})
    grid.failed("never done", 0, "no")
    table = frame(build(load(grid.folder), COST))
    assert list(table.index) == ["z first", "a second"]
    assert table.loc["z first"].to_dict() == {
        "parameters (M)": "0.60", "image tokens": "16", "samples seen": "36,000", "targets": "250,000",
        "pretraining TFLOP": "3.00", "seconds a cell": "12", "device": "cpu (x86_64)",
    }


def test_no_finished_cell_no_line(grid: Any) -> None:
    grid.failed("a", 0, "no")
    assert build(load(grid.folder), COST).lines == ()


def test_numbers_are_there_for_programs(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.done("a", 1, {"accuracy": 1.0})
    line = build(load(grid.folder), COST).lines[0]
    assert line.entries[0].value == pytest.approx(0.6) and line.entries[5].value == 12.5, "seconds 12 and 13"


def test_lines_of_settings(grid: Any) -> None:
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 1.0}, settings={"objective": "x"})
        grid.done("b", seed, {"accuracy": 1.0}, settings={"objective": "y"})
    table = frame(build(load(grid.folder), Asked(what="cost", rows=("objective",))))
    assert table.index.tolist() == ["x", "y"] and table.index.name == "objective"


def test_an_unknown_column_beside_is_a_users_mistake(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    with pytest.raises(UserError, match="unknown column 'flosp'") as caught:
        build(load(grid.folder), Asked(beside=("flosp",)))
    assert "did you mean 'flops'?" in caught.value.remedy
