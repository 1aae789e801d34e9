"""How training went, a line a number."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load


def test_each_number_has_a_line(grid: Any) -> None:
    points = [{"stage": "pretrain", "step": step, "loss": 4.0 - step, "lr": 0.1} for step in (0, 5)]
    grid.done("a", 1, {"accuracy": 1.0}, curve=[*points, {"stage": "vqa", "step": 0, "loss": 1.0}])
    grid.failed("b", 0, "no memory")
    found = load(grid.folder).curves()
    assert list(found.columns) == ["grid", "row", "cell", "seed", "stage", "step", "name", "value"]
    assert found[["row", "seed"]].drop_duplicates().to_numpy().tolist() == [["a", 1]]
    loss = found[(found["stage"] == "pretrain") & (found["name"] == "loss")]
    assert loss[["step", "value"]].to_numpy().tolist() == [[0, 4.0], [5, -1.0]]
    assert len(found) == 5


def test_without_any_there_is_an_empty_frame(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    assert load(grid.folder).curves().empty
