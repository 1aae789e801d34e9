"""Every cell once, with what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.page.cells import cell_lines, overviews, states


@pytest.fixture
def mixed(grid: Any) -> Any:
    """A grid with a cell in every state."""
    grid.done("a", 0, {"accuracy": 50.0})
    grid.done("a", 1, {"accuracy": 51.0, "CIDEr": 1.0})
    grid.failed("b", 0, "loss is <nan>")
    grid.plan("b", 1)
    grid.plan("c", 0, reason="n/a: needs decode")
    damaged = grid.done("c", 1, {"accuracy": 1.0})
    (damaged.path / "scores.json").write_text("{}", encoding="utf-8")
    return grid


def test_states_and_reasons(mixed: Any) -> None:
    lines = cell_lines(load(mixed.folder))
    assert [(one.row, one.seed, one.status) for one in lines] == [
        ("a", 0, "done"), ("a", 1, "done"), ("b", 0, "failed"), ("b", 1, "pending"), ("c", 0, "n/a"),
        ("c", 1, "damaged"),
    ]
    assert [one.reason for one in lines] == [
        "captioning: n/a: needs decode", "", "loss is <nan>", "", "n/a: needs decode",
        "a file of the record is missing or changed",
    ]
    assert states(lines) == {"done": 2, "pending": 1, "n/a": 1, "failed": 1, "damaged": 1}


def test_time_device_and_folder_of_what_ran(mixed: Any) -> None:
    first, *_, planned, _ = cell_lines(load(mixed.folder))
    assert (first.seconds, first.device, first.folder) == (12.0, "cpu (x86_64)", "a-s0-000000000000")
    assert (planned.seconds, planned.device, planned.folder) == (None, "", "")


def test_anchors_are_short_and_differ(mixed: Any) -> None:
    anchors = [one.anchor for one in cell_lines(load(mixed.folder))]
    assert len(set(anchors)) == 6 and all(one.replace("-", "").isalnum() for one in anchors)


def test_rows_come_in_the_grids_order_and_grids_as_named(grid: Any, another: Callable[..., Any]) -> None:
    grid.done("z", 0, {"accuracy": 1.0})
    grid.done("a", 0, {"accuracy": 1.0})
    other = another("other")
    other.done("m", 3, {"accuracy": 1.0})
    results = load(other.folder, grid.folder)
    assert [(one.grid, one.row) for one in cell_lines(results)] == [("other", "m"), ("small", "z"), ("small", "a")]
    assert [one.seeds for one in overviews(results, cell_lines(results))] == [(3,), (0,)]


def test_the_overview_has_a_gap_where_a_row_has_no_such_seed(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.done("b", 1, {"accuracy": 1.0})
    results = load(grid.folder)
    (overview,) = overviews(results, cell_lines(results))
    assert overview.seeds == (0, 1) and overview.states == {"done": 2}
    assert [[cell and cell.status for cell in cells] for _, cells in overview.rows] == [["done", None], [None, "done"]]


def test_a_cell_whose_tasks_all_could_not_be_is_done(grid: Any) -> None:
    grid.done("a", 0, {})
    (line,) = cell_lines(load(grid.folder))
    assert line.status == "done" and "needs decode" in line.reason


def test_a_grid_without_tasks_has_no_lines(grid: Any) -> None:
    grid.plan("a", 0)
    path = grid.folder / "grid.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tasks": []}), encoding="utf-8")
    results = load(grid.folder)
    assert cell_lines(results) == [] and overviews(results, [])[0].rows == ()


def test_a_very_long_reason_loses_its_middle(grid: Any) -> None:
    grid.failed("a", 0, "first " + "x" * 100_000 + " last")
    (line,) = cell_lines(load(grid.folder))
    assert line.reason.startswith("first ") and line.reason.endswith(" last") and len(line.reason) < 4_200
    assert "96,011 characters left out" in line.reason
