"""One line a cell, one column a setting."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load


def test_settings_stand_under_their_dotted_keys(grid: Any) -> None:
    grid.done("a", 3, {"accuracy": 1.0}, settings={"optim": {"lr": 0.1}, "image": {"mean": [0.5, 0.5, 0.5]}})
    line = load(grid.folder).settings().iloc[0].to_dict()
    assert (line["grid"], line["row"], line["seed"], line["status"]) == ("small", "a", 3, "done")
    assert (line["objective"], line["stem"], line["trunk"], line["size"]) == (
        "prefix-lm", "conv3", "encoder-decoder", "nano"
    )
    assert line["optim.lr"] == 0.1 and line["budget.samples"] == 36_000 and line["image.mean"] == "[0.5, 0.5, 0.5]"


def test_every_cell_has_one_line_and_what_is_not_known_is_missing(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0, "CIDEr": 0.1})
    grid.failed("b", 0, "no memory")
    grid.plan("c", 0)
    found = load(grid.folder).settings().set_index("row")
    assert found["status"].to_dict() == {"a": "done", "b": "failed", "c": "pending"}
    assert found["objective"].isna().to_dict() == {"a": False, "b": False, "c": True}


def test_a_wiring_is_called_as_a_grid_file_calls_it(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, settings={
        "wiring": {"layers": 3}, "objectives": {"prefix-lm": {"shortest": 1}}, "init": {"stem": "x"},
    })
    line = load(grid.folder).settings().iloc[0]
    assert line["trunk.encoder-decoder.layers"] == 3 and line["objective.prefix-lm.shortest"] == 1
    assert "init.stem" not in line
