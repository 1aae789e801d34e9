"""Score against cost: the Pareto line by hand, axes that fit, names or numbers at points."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.results.frame import load
from vlpbench.results.plots.compute import COSTS, compute, pareto, why_no_compute
from vlpbench.results.plots.style import alternative


@pytest.mark.parametrize(
    ("costs", "scores", "is_lower", "line"),
    [
        ([1, 2, 3, 4], [5, 4, 6, 6], False, [0, 2]),
        ([3, 1, 1], [9, 2, 3], False, [2, 0]),
        ([1, 2, 3], [5, 4, 6], True, [0, 1]),
        ([7], [1], False, [0]),
        ([2, 2, 3, 2], [5, 5, 5, 4], False, [0, 1]),
    ],
)
def test_the_line_of_those_that_nobody_beats(costs, scores, is_lower, line):
    assert pareto(costs, scores, is_lower) == line


def filled(axes):
    return [
        (line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines
        if line.get_marker() in ("o", "D") and line.get_markerfacecolor() == "black"
    ]


def test_points_at_their_costs(vqa):
    figure = compute(vqa(["a", "b", "c"]))
    (axes,) = figure.axes
    assert [number for point in filled(axes) for number in point] == pytest.approx([0, 40.5, 1, 41.5, 2, 42.5])
    assert axes.get_xlabel() == "pretraining TFLOP"
    assert axes.get_xscale() == "linear"
    assert alternative(figure).endswith("on the Pareto line: a 40.5 at 0; b 41.5 at 1; c 42.5 at 2")


def test_costs_far_apart_and_nothing(field):
    for row, flops in (("none", 0), ("small", 10**12), ("large", 10**15)):
        field.done(row, 0, {"vqa": {"accuracy": 40.0}}, cost={"flops": flops})
    axes = compute(field.read()).axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_xticklabels()[0].get_text() == "0"
    assert all(line.get_xdata()[0] > 0 for line in axes.lines if line.get_marker() == "o")


def test_blind_rows_are_never_on_the_line(field, texts):
    field.done("blind", 0, {"vqa": {"accuracy": 90.0}}, cost={"flops": 0}, settings={"blind": True})
    field.done("seeing", 0, {"vqa": {"accuracy": 40.0}})
    figure = compute(field.read())
    assert [y for _, y in filled(figure.axes[0])] == [40.0]
    assert any("Blind rows are never on the line" in one.replace("\n", " ") for one in texts(figure))


def test_rows_without_a_score_are_named(field, grid, texts):
    field.done("a", 0, {"vqa": {"accuracy": 40.0}})
    grid.failed("b", 0, "out of memory")
    assert any("want of a score or cost: b." in one.replace("\n", " ") for one in texts(compute(field.read())))


def test_names_keep_clear_of_each_other(vqa):
    figure = compute(vqa([f"row {at}" for at in range(12)], 2), width="page")
    figure.draw_without_rendering()
    written = [text for text in figure.axes[0].texts if text.get_text().startswith("row")]
    boxes = [text.get_tightbbox() for text in written]
    assert len(boxes) == 12
    edges = figure.axes[0].get_window_extent()
    for at, box in enumerate(boxes):
        assert edges.x0 <= box.x0 and box.x1 <= edges.x1
        assert not any(box.overlaps(other) for other in boxes[at + 1 :])


def test_many_long_names_become_numbers_with_a_key(vqa, texts):
    written = texts(compute(vqa([f"a row with a long name {at}" for at in range(20)], 1)))
    assert {str(at) for at in range(1, 21)} <= set(written)
    assert any("20: a row with a long name 19." in one.replace("\n", " ") for one in written)


@pytest.mark.parametrize("x", COSTS)
def test_every_cost_can_be_asked_for(x, vqa):
    assert compute(vqa(["a"], 1), x=x).axes[0].get_xlabel()


def test_an_unknown_cost(vqa):
    with pytest.raises(UserError, match="unknown cost 'flop'") as error:
        compute(vqa(["a"], 1), x="flop")
    assert "did you mean 'flops'" in error.value.remedy


def test_no_score_no_cost(grid):
    grid.plan("a", 0)
    assert why_no_compute(load(grid.folder)) == "no cell has a score yet"
