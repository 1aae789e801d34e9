"""Settings of cells: what differs, what only some have, what all share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vlpbench.results import load
from vlpbench.results.page.cell_settings import UNSET, grid_settings


def test_what_differs_is_told_from_what_follows_and_what_is_shared(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, settings={"optim": {"lr": 0.1}})
    grid.done("a", 1, {"accuracy": 1.0}, settings={"optim": {"lr": 0.1}})
    grid.done("b", 0, {"accuracy": 1.0}, settings={"optim": {"lr": 0.1}, "objective": "none"})
    grid.done("c", 0, {"accuracy": 1.0}, settings={"optim": {"lr": 0.2}, "objectives": {"prefix-lm": {"shortest": 1}}})
    (found,) = grid_settings(load(grid.folder))
    assert found.variants == ("a", "b", "c")
    assert {line.key: (line.values, line.usual) for line in found.differing} == {
        "objective": (("prefix-lm", "none", "prefix-lm"), "prefix-lm"), "optim.lr": (("0.1", "0.1", "0.2"), "0.1"),
    }
    assert [(line.key, line.values, line.had) for line in found.partial] == [
        ("objective.prefix-lm.shortest", (UNSET, UNSET, "1"), "1")
    ]
    assert ("budget.samples", "36000") in found.shared
    assert [found.of_cell[cell] for cell in sorted(found.of_cell)] == [0, 0, 1, 2]


def test_a_row_whose_cells_differ_is_two(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, settings={"optim": {"lr": 0.1}})
    grid.done("a", 1, {"accuracy": 1.0}, settings={"optim": {"lr": 0.2}})
    (found,) = grid_settings(load(grid.folder))
    assert found.variants == ("a", "a (2)")
    assert [(line.key, line.usual) for line in found.differing] == [("optim.lr", "")]


def test_values_read_as_in_a_grid_file(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, settings={"texts": "", "image": {"mean": [0.5, 1]}})
    (found,) = grid_settings(load(grid.folder))
    shared = dict(found.shared)
    assert shared["texts"] == '""' and shared["image.mean"] == "[0.5, 1]" and shared["blind"] == "false"
    assert found.differing == () and "seed" not in shared


def test_failed_cells_have_settings_and_planned_ones_none(grid: Any, another: Callable[..., Any]) -> None:
    grid.failed("a", 0, "no")
    grid.plan("b", 0)
    other = another("other")
    other.plan("x", 0)
    found = grid_settings(load(grid.folder, other.folder))
    assert [(one.grid, one.variants, list(one.of_cell)) for one in found] == [("small", ("a",), ["0" * 12])]
