"""Bold, differences and marks: from tests that look at one family, and never at what nothing stands beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.statistics import holm
from vlpbench.results.tables import Asked, build
from vlpbench.results.tables.layout import named_rows
from vlpbench.results.tables.verdicts import Verdicts, verdicts_of


@pytest.fixture
def rows(grid: Any) -> Any:
    for row, values in (("low", (40.0, 41.0, 42.0)), ("high", (60.0, 61.5, 62.0)), ("near", (60.0, 60.5, 62.5))):
        for seed, value in enumerate(values):
            grid.done(row, seed, {"accuracy": value})
    return grid


def verdicts(grid: Any, **asked: Any) -> Verdicts:
    choices = Asked(**asked)
    return verdicts_of(named_rows(load(grid.folder), choices), choices)


def bold(grid: Any, **asked: Any) -> list[str]:
    return sorted(line for line, *_ in verdicts(grid, **asked).best)


def test_bold(rows: Any) -> None:
    assert bold(rows) == ["high", "near"]
    assert bold(rows, bold="best") == ["high"]
    assert bold(rows, bold="none") == []
    assert bold(rows, alpha=1e-9) == ["high", "low", "near"], "nothing is significant at such a level"


def test_ties_are_both_best(grid: Any) -> None:
    for row in ("a", "b"):
        grid.done(row, 0, {"accuracy": 40.0})
    grid.done("c", 0, {"accuracy": 39.0})
    assert bold(grid) == ["a", "b"]


def test_what_nothing_stands_beside_is_not_best(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    grid.failed("b", 0, "no")
    assert bold(grid) == []


def test_differences_to_the_grids_reference_unless_another_is_named(rows: Any) -> None:
    assert verdicts(rows).baselines == ()
    rows.reference = "low"
    rows.close()
    found = verdicts(rows)
    assert found.baselines == ("low",)
    assert found.deltas["high", "", "vqa", "accuracy"].difference == pytest.approx(20.1666667)
    assert verdicts(rows, baseline="high").deltas["low", "", "vqa", "accuracy"].difference < 0
    assert verdicts(rows, baseline="").deltas == {}


def test_only_what_is_significant_is_marked(rows: Any) -> None:
    table = build(load(rows.folder), Asked(baseline="high", metrics=("accuracy",)))
    assert {line.name: line.entries[1].mark for line in table.lines if line.kind == "row"} == {
        "low": "*", "high": "", "near": ""
    }


def test_an_unknown_baseline_is_told_the_nearest(rows: Any) -> None:
    with pytest.raises(UserError, match="unknown row 'hihg'") as caught:
        verdicts(rows, baseline="hihg")
    assert "did you mean 'high'?" in caught.value.remedy
    with pytest.raises(UserError, match="no row to take differences to"):
        build(load(rows.folder), Asked(what="differences"))


def test_several_grids_are_one_family_each_beside_its_own(rows: Any, another: Callable[..., Any]) -> None:
    other = another()
    for row, shift in (("low", 0.0), ("high", 3.0)):
        for seed in range(3):
            other.done(row, seed, {"accuracy": 50.0 + shift + seed * (1 + shift / 9)})
    rows.reference = other.reference = "low"
    rows.close()
    other.close()
    asked = Asked(metrics=("accuracy",))
    layout = named_rows(load(rows.folder, other.folder), asked)
    found = verdicts_of(layout, asked)
    assert found.baselines == ("small: low", "other: low")
    assert {line for line, *_ in found.deltas} == {"small: high", "small: near", "other: high"}
    mine = list(found.deltas.values())
    assert [one.corrected for one in mine] == pytest.approx(holm([one.p for one in mine]))
    assert {line.partition(":")[0] for line, *_ in found.best} == {"small", "other"}


def test_lower_is_better_for_ranks(grid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.results import conftest

    monkeypatch.setitem(conftest.UNIT, "TR_median", "retrieval")
    grid.tasks = ("retrieval",)
    for row, value in (("a", 3.0), ("b", 9.0)):
        for seed in range(3):
            grid.done(row, seed, {"TR_median": value + seed / 10})
    assert bold(grid, metrics=("TR_median",), bold="best") == ["a"]
