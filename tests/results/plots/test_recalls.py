"""Retrieval: both directions, recalls as they are named, chance beside them."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.results.plots.recalls import recalls, why_no_recalls
from vlpbench.results.plots.style import alternative

SCORES = {f"{side}@{k}": 40.0 + k + (20 if side == "IR" else 0) for side in ("TR", "IR") for k in (10, 1, 5)}


def test_both_directions_side_by_side(field, texts):
    for row in ("a", "b"):
        for seed in range(3):
            field.done(
                row, seed, {"retrieval": {name: value + seed for name, value in SCORES.items()} | {"TR_median": 2.0}},
                floors={"chance": {"TR@1": 0.25, "IR@1": 0.25}},
            )
    figure = recalls(field.read())
    left, right = figure.axes
    points = {line.get_label(): list(line.get_xdata()) for line in left.lines if line.get_label().startswith("R@")}
    assert points == {"R@1": [42.0, 42.0], "R@5": [46.0, 46.0], "R@10": [51.0, 51.0]}
    assert list(points) == ["R@1", "R@5", "R@10"]
    assert right.get_xlabel() == "IR, %"
    assert [label.get_text() for label in left.get_yticklabels()] == ["a", "b"]
    assert any("Chance: TR@1 0.2, IR@1 0.2." in one.replace("\n", " ") for one in texts(figure))
    assert alternative(figure) == "retrieval recalls of 2 rows: TR@1 from 42.0 (a) to 42.0 (b)"


def test_a_row_that_cannot_retrieve_says_why(field, grid, texts):
    field.done("a", 0, {"retrieval": SCORES})
    grid.plan("b", 0, "n/a: needs vectors")
    assert "n/a: needs vectors" in texts(recalls(field.read(), width="page"))


def test_one_of_several_tasks(field):
    field.done("a", 0, {"retrieval": SCORES, "retrieval@zero-shot": {"TR@1": 3.0}})
    figure = recalls(field.read(), task="retrieval@zero-shot")
    assert len(figure.axes) == 1
    with pytest.raises(UserError, match="unknown retrieval task 'retrival'") as error:
        recalls(field.read(), task="retrival")
    assert "did you mean 'retrieval'" in error.value.remedy


def test_a_grid_without_retrieval(vqa):
    results = vqa(["a"], 1)
    assert why_no_recalls(results) == "no row has a recall: no retrieval task was scored"
    with pytest.raises(UserError, match="no row has a recall"):
        recalls(results)
