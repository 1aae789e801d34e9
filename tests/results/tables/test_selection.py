"""Which cells a table is of."""

from __future__ import annotations

from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.tables import Asked
from vlpbench.results.tables.selection import selected, settings_of, value_text


@pytest.fixture
def two(grid: Any) -> Any:
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 40.0, "CIDEr": 0.5}, settings={"optim": {"lr": 0.001}, "objective": "x"})
        grid.done("b", seed, {"accuracy": 50.0, "CIDEr": 0.5}, settings={"optim": {"lr": 0.01}, "objective": "y"})
    grid.published = {"a": {"vqa.accuracy": 1.0}, "b": {"vqa.accuracy": 2.0}}
    grid.close()
    return grid


@pytest.mark.parametrize("value", ["0.001", "1e-3", "0.0010"])
def test_a_number_is_known_however_it_is_written(two: Any, value: str) -> None:
    found = selected(load(two.folder), Asked(where={"optim.lr": value}))
    assert set(found.frame["row"]) == {"a"}
    assert found.orders[0].rows == ("a",) and list(found.orders[0].published) == ["a"]
    assert {one.line for one in found.records()} == {("a", 0), ("a", 1)}


def test_tasks(two: Any) -> None:
    found = selected(load(two.folder), Asked(tasks=("captioning",)))
    assert set(found.frame["task"]) == {"captioning"} and found.orders[0].tasks == ("captioning",)
    with pytest.raises(UserError, match="unknown task 'captoining'") as caught:
        selected(load(two.folder), Asked(tasks=("captoining",)))
    assert "did you mean 'captioning'?" in caught.value.remedy


def test_what_is_not_there_is_named(two: Any) -> None:
    with pytest.raises(UserError, match=r"unknown value of optim.lr '0.1'") as caught:
        selected(load(two.folder), Asked(where={"optim.lr": "0.1"}))
    assert "0.001, 0.01" in caught.value.remedy
    with pytest.raises(UserError, match=r"no cell has optim.lr=0.001, objective=y"):
        selected(load(two.folder), Asked(where={"optim.lr": "0.001", "objective": "y"}))
    with pytest.raises(UserError, match="unknown setting 'lr'"):
        selected(load(two.folder), Asked(where={"lr": "0.001"}))


@pytest.mark.parametrize("value", [1e-3, "1e-3", "0.0010", "0.001"])
def test_numbers_may_be_given_as_numbers(two: Any, value: Any) -> None:
    assert set(selected(load(two.folder), Asked(where={"optim.lr": value})).frame["row"]) == {"a"}
    assert len(selected(load(two.folder), Asked(where={"blind": False})).frame)


def test_a_seed_is_a_setting(two: Any) -> None:
    assert set(selected(load(two.folder), Asked(where={"seed": "1"})).frame["seed"]) == {1}


def test_everything_is_the_same_object(two: Any) -> None:
    results = load(two.folder)
    assert selected(results, Asked()) is results


def test_cells_that_wait_have_their_rows_settings(two: Any) -> None:
    two.plan("b", 2)
    two.plan("unknown", 0)
    found = {(cell["row"], cell["seed"]): cell for cell in settings_of(load(two.folder))}
    assert list(found) == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2), ("unknown", 0)]
    assert found["b", 2]["optim.lr"] == 0.01 and found["unknown", 0]["optim.lr"] is None
    assert len({tuple(cell) for cell in found.values()}) == 1, "the same keys in the same order"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234567, "0.1234567"), (1 / 3, "0.3333333333333333"), (1e-3, "0.001"), (1e22, "10000000000000000000000"),
     (float("inf"), "inf"), (True, "true"),
     (None, "–"), (float("nan"), "–"), (32000.0, "32000"), (0.002, "0.002"), (7, "7"), ("x", "x")],
)
def test_names_of_values(value: Any, text: str) -> None:
    assert value_text(value) == text
