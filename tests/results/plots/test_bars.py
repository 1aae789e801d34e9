"""Bars: what is drawn where, and what a reader is told."""

from __future__ import annotations

from itertools import pairwise

import pytest

from vlpbench.errors import UserError
from vlpbench.results.frame import load
from vlpbench.results.plots.bars import bars, why_no_bars
from vlpbench.results.plots.style import alternative


def names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_rows_from_top_to_bottom_as_in_the_grid(vqa):
    figure = bars(vqa(["b", "a", "c"]))
    axes = figure.axes[0]
    assert names(axes) == ["b", "a", "c"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    means = [line.get_xdata()[0] for line in axes.lines if line.get_markersize() == 4 and line.get_marker() == "o"]
    assert means == pytest.approx([40.5, 41.5, 42.5])
    assert alternative(figure) == "vqa acc. of 3 rows: lowest b 40.5, highest c 42.5"


def test_near_floors_are_lines_and_far_ones_are_told(vqa, texts):
    written = texts(bars(vqa(["b", "a", "c"])))
    assert "chance 38.0" in written
    assert any("Not in sight: majority 2.0." in one.replace("\n", " ") for one in written)


def test_what_has_no_score_says_why(field, grid, texts):
    field.done("a", 0, {"vqa": {"accuracy": 30.0}})
    grid.failed("broken", 0, "out of memory")
    grid.plan("never", 0, "n/a: needs decode")
    figure = bars(field.read())
    assert names(figure.axes[0]) == ["a", "broken", "never"]
    assert {"failed", "n/a: needs decode"} <= set(texts(figure))
    assert alternative(figure).endswith("; 2 without a score")
    assert any("one seed, so there is no interval" in one for one in texts(figure))


def test_published_numbers_have_their_own_axis(field, texts):
    for at, row in enumerate(["x", "y", "z"]):
        for seed in range(3):
            published = {"vqa.accuracy": 60.0 + at}
            field.done(row, seed, {"vqa": {"accuracy": 10.0 + at + seed / 10}}, settings={"published": published})
    figure = bars(field.read())
    ours, theirs = figure.axes
    assert theirs.get_xlabel() == "published"
    assert [line.get_xdata()[0] for line in theirs.lines if line.get_marker() == "o"] == [60.0, 61.0, 62.0]
    assert ours.get_xlim()[1] < 20 < theirs.get_xlim()[0]
    assert any("tau over 3 rows 1.00" in one.replace("\n", " ") for one in texts(figure))


def test_the_reference_row_stands_out(field, texts):
    field.reference = "a"
    for row in "ab":
        field.done(row, 0, {"vqa": {"accuracy": 30.0}})
    figure = bars(field.read())
    assert [label.get_fontweight() for label in figure.axes[0].get_yticklabels()] == ["bold", "normal"]
    assert any("Diamond" in one for one in texts(figure))


def test_fewer_is_better_is_said(field):
    field.done("a", 0, {"retrieval": {"TR_median": 3.0}})
    assert bars(field.read(), metric="TR_median").axes[0].get_xlabel().endswith("(lower is better)")


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("rows", [1, 30])
def test_names_stay_inside_and_apart(rows, width, vqa, nasty):
    figure = bars(vqa([f"{nasty} {at}" for at in range(rows)], 1), width=width)
    figure.draw_without_rendering()
    room = figure.bbox
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1 for box in boxes)
    assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))


def test_nothing_to_draw(grid, vqa):
    grid.plan("a", 0)
    assert why_no_bars(load(grid.folder)) == "no cell has a score yet"
    with pytest.raises(UserError, match="no cell has a score yet"):
        bars(load(grid.folder))


def test_an_unknown_width(vqa):
    with pytest.raises(UserError, match="unknown width"):
        bars(vqa(["a"]), width="wide")
