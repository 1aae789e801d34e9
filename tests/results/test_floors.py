"""Floors: once a grid, from a finished cell that the grid has."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load


def test_the_first_finished_cell_tells(grid: Any) -> None:
    grid.failed("a", 0, "no")
    grid.done("b", 0, {"accuracy": 40.0})
    grid.done("c", 0, {"accuracy": 50.0, "CIDEr": 0.5})
    found = load(grid.folder).floors()
    assert list(found.columns) == ["grid", "floor", "task", "metric", "value"]
    assert found.set_index(["floor", "task", "metric"])["value"].to_dict() == {
        ("chance", "vqa", "accuracy"): 2.5, ("majority", "vqa", "accuracy"): 7.25,
        ("chance", "captioning", "CIDEr"): 0.1,
    }
    assert set(found["grid"]) == {"small"}


def test_no_finished_cell_no_floor(grid: Any) -> None:
    grid.failed("a", 0, "no")
    (grid.done("b", 0, {"accuracy": 40.0}).path / "scores.json").write_text("{")
    found = load(grid.folder).floors()
    assert found.empty and found["value"].dtype == float


def test_orphans_tell_nothing(grid: Any) -> None:
    gone = grid.done("gone", 0, {"accuracy": 1.0}).read("settings.json")["id"]
    grid.plan("kept", 0)
    del grid.cells[gone]
    grid.close()
    assert load(grid.folder).floors().empty
