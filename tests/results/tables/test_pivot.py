"""Lines and columns of settings: what shares a place, what may not, and how they are ordered and called."""

from __future__ import annotations

from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.tables import Asked, build
from vlpbench.results.tables.entry_text import frame, heads


@pytest.fixture
def rates(grid: Any) -> Any:
    """Two objectives at three learning rates, two seeds each, and a blind row."""
    grid.tasks = ("vqa",)
    for objective, start in (("prefix-lm", 50.0), ("contrastive", 40.0)):
        for at, lr in enumerate((0.01, 0.002, 0.0005)):
            for seed in range(2):
                settings = {"objective": objective, "optim": {"lr": lr}}
                grid.done(f"{objective} {lr}", seed, {"accuracy": start + at + seed}, settings=settings)
    blind = {"objective": "prefix-lm", "optim": {"lr": 0.01}, "blind": True}
    grid.done("prefix-lm 0.01, blind", 0, {"accuracy": 9.0}, settings=blind)
    return grid


def test_numbers_ascend_and_names_keep_the_grids_order(rates: Any) -> None:
    table = frame(build(load(rates.folder), Asked(rows=("optim.lr",), columns=("objective",), bold="none")))
    assert table.index.tolist() == ["0.0005", "0.002", "0.01"] and table.index.name == "optim.lr"
    assert table.columns.tolist() == ["vqa acc. prefix-lm", "vqa acc. contrastive"]
    assert table.loc["0.01"].tolist() == ["50.5 ± 0.7", "40.5 ± 0.7"], "the blind row is not among them"


def test_several_settings_make_a_line(rates: Any) -> None:
    table = build(load(rates.folder), Asked(rows=("objective", "optim.lr")))
    assert table.head == "objective, optim.lr"
    assert [line.name for line in table.lines if line.kind == "row"][:4] == [
        "prefix-lm, 0.0005", "prefix-lm, 0.002", "prefix-lm, 0.01", "contrastive, 0.0005"
    ]


def test_blind_rows_stand_in_it_where_they_are_asked_for(rates: Any) -> None:
    asked = Asked(rows=("blind",), where={"objective": "prefix-lm", "optim.lr": "1e-2"}, bold="none")
    table = frame(build(load(rates.folder), asked))
    expected = {"false": "50.5 ± 0.7", "true": "9.0 (n=1)", "chance": "2.5", "majority": "7.2"}
    assert table["vqa acc."].to_dict() == expected


def test_what_else_differs_is_named(rates: Any) -> None:
    with pytest.raises(UserError, match=r"differ in more than their seed: optim.lr \(0.01, 0.002, 0.0005\)") as caught:
        build(load(rates.folder), Asked(rows=("objective",)))
    assert caught.value.remedy == "add optim.lr to --rows or --columns, or pin it: --where optim.lr=0.01"
    table = frame(build(load(rates.folder), Asked(rows=("objective",), where={"optim.lr": "0.002"}, bold="none")))
    assert table["vqa acc."].tolist()[:2] == ["51.5 ± 0.7", "41.5 ± 0.7"]


def test_what_follows_from_a_setting_is_not_named_beside_it(grid: Any) -> None:
    for row, objectives in (("x", {"x": {"depth": 1}}), ("y", {"y": {"width": 2}})):
        grid.done(row, 0, {"accuracy": 1.0}, settings={"objective": row, "objectives": objectives})
    with pytest.raises(UserError) as caught:
        build(load(grid.folder), Asked(rows=("size",)))
    assert caught.value.cause.endswith("differ in more than their seed: objective (x, y)")


def test_rows_that_are_the_same_but_for_their_name(grid: Any) -> None:
    for row in ("one", "two"):
        grid.done(row, 0, {"accuracy": 1.0})
    with pytest.raises(UserError, match=r"more than their seed: row \(one, two\)"):
        build(load(grid.folder), Asked(rows=("objective",)))


def test_an_unknown_setting_is_told_the_nearest_and_those_that_differ(rates: Any) -> None:
    with pytest.raises(UserError, match=r"unknown setting 'optim.rl'") as caught:
        build(load(rates.folder), Asked(rows=("optim.rl",)))
    assert caught.value.place == "--rows" and caught.value.remedy.startswith("did you mean 'optim.lr'?")
    assert "objective" in caught.value.remedy and "data" not in caught.value.remedy


def test_single_seeds_are_not_tested(rates: Any) -> None:
    asked = Asked(rows=("objective",), columns=("seed",), where={"optim.lr": "0.01"})
    table = build(load(rates.folder), asked)
    assert heads(table) == ["vqa acc. seed 0", "vqa acc. seed 1"]
    assert not any(entry.is_best for line in table.lines for entry in line.entries)
    assert table.notes[0] == "Single runs of seeds 0, 1"
    with pytest.raises(UserError, match="single seeds are no rows"):
        build(load(rates.folder), Asked(rows=("seed",), where={"row": "prefix-lm 0.01"}, baseline="0"))


def test_cells_that_wait_stand_where_their_row_stands(rates: Any) -> None:
    rates.plan("contrastive 0.01", 2)
    rates.plan("never begun", 0)
    table = build(load(rates.folder), Asked(rows=("objective",), where={"optim.lr": "0.01"}, bold="none"))
    assert frame(table)["vqa acc."].tolist()[:2] == ["50.5 ± 0.7", "40.5 ± 0.7 (n=2/3)"]
    table = build(load(rates.folder), Asked(rows=("objective", "optim.lr")))
    assert "rows that have not begun are not in this table: never begun" in table.notes


def test_nothing_begun(grid: Any) -> None:
    grid.plan("a", 0)
    with pytest.raises(UserError, match="no cell has begun"):
        build(load(grid.folder), Asked(rows=("objective",)))


def test_columns_of_several_scores(rates: Any) -> None:
    for seed in range(2):
        rates.done("prefix-lm 0.01", seed + 2, {"accuracy": 50.0, "accuracy[rule=2016]": 49.0},
                   settings={"objective": "prefix-lm", "optim": {"lr": 0.01}})
    asked = Asked(columns=("objective",), metrics=("accuracy", "accuracy[rule=2016]"), where={"optim.lr": "0.01"})
    table = build(load(rates.folder), asked)
    assert [(column.group, column.name) for column in table.columns] == [
        ("prefix-lm", "vqa acc."), ("prefix-lm", "vqa accuracy[rule=2016]"),
        ("contrastive", "vqa acc."), ("contrastive", "vqa accuracy[rule=2016]"),
    ]
    assert len(table.lines) == 1


def test_values_that_are_called_alike_do_not_share_a_place(grid: Any) -> None:
    """Nothing is averaged over settings whose texts are the same once they stand side by side."""
    for seed, (row, objective, data) in enumerate((("r1", "a, b", "c"), ("r2", "a", "b, c"))):
        grid.done(row, seed, {"accuracy": 1.0 + seed}, settings={"objective": objective, "data": data})
    with pytest.raises(UserError, match="differ in more than their seed"):
        build(load(grid.folder), Asked(rows=("objective", "data")))
    close = another_lr(grid)
    assert [line.name for line in close.lines if line.kind == "row"] == ["0.1", "0.1000000001"]


def another_lr(grid: Any) -> Any:
    """Two learning rates that six digits do not tell apart."""
    for row, lr in (("one", 0.1), ("two", 0.1000000001)):
        for seed in range(2):
            grid.done(row, seed, {"accuracy": 1.0 + seed}, settings={"optim": {"lr": lr}, "data": "alike"})
    return build(load(grid.folder), Asked(rows=("optim.lr",), where={"data": "alike"}))


def test_a_baseline_is_a_line(rates: Any) -> None:
    asked = Asked(rows=("objective",), columns=("optim.lr",), baseline="contrastive")
    table = build(load(rates.folder), asked)
    deltas = [entry.value for entry, column in zip(table.lines[0].entries, table.columns, strict=True)
              if column.kind == "difference"]
    assert deltas == [10.0, 10.0, 10.0]
    with pytest.raises(UserError, match="unknown line 'contrast'"):
        build(load(rates.folder), Asked(rows=("objective",), columns=("optim.lr",), baseline="contrast"))
