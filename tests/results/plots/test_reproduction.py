"""The picture of a reproduction: where theirs and ours are drawn, in which order, and what a reader is told."""

from __future__ import annotations

from itertools import pairwise

import pytest

from vlpbench.errors import UserError
from vlpbench.results.frame import load
from vlpbench.results.plots import all_plots, svg
from vlpbench.results.plots.reproduction import published_tasks, reproduction, why_no_reproduction
from vlpbench.results.plots.style import alternative
from vlpbench.results.reproduction import reproductions

PUBLISHED = {"full": 67.4, "small loss": 66.0, "large loss": 50.0, "other way": 60.0, "gone": 61.0}
OURS = {
    "full": (50.0, 51.5, 50.7), "small loss": (49.0, 52.5, 50.5), "large loss": (40.1, 41.2, 40.9),
    "other way": (55.1, 56.2, 55.9),
}


@pytest.fixture
def results(field, grid):
    for row, scores in OURS.items():
        for seed, score in enumerate(scores):
            field.done(row, seed, {"vqa": {"accuracy": score}})
    grid.failed("gone", 0, "no memory")
    grid.published = {row: {"vqa.accuracy": value} for row, value in PUBLISHED.items()}
    field.reference = "full"
    grid.close()
    return field.read()


def marks(axes, at):
    """Marker -> (x, filling) of the points beside a row's line."""
    points = [line for line in axes.lines if line.get_marker() not in ("None", None, "") and len(line.get_xdata()) == 1]
    return {line.get_marker(): (line.get_xdata()[0], line.get_markerfacecolor()) for line in points
            if abs(line.get_ydata()[0] - at) < 0.3}


def test_rows_go_down_by_what_is_published(results):
    axes = reproduction(results).axes[0]
    names = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert names == ["large loss", "other way", "gone (n=0/3)", "small loss"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1] and axes.get_xlim()[0] < -17.4 < 0 < axes.get_xlim()[1]


def test_theirs_is_open_and_ours_says_its_verdict_by_shape_and_filling(results):
    axes = reproduction(results).axes[0]
    (found,) = reproductions(results)
    ours = {one.row: one.difference for one in found.rows}
    large, other, gone, small = (marks(axes, at) for at in range(4))
    assert large == {"D": (-17.4, "white"), "o": (pytest.approx(ours["large loss"]), "black")}
    assert other == {"D": (-7.4, "white"), "s": (pytest.approx(ours["other way"]), "#D55E00")}
    assert gone == {"D": (-6.4, "white")} and small["o"] == (pytest.approx(ours["small loss"]), "white")


def test_intervals_are_drawn_as_long_as_they_are(results):
    axes = reproduction(results).axes[0]
    (found,) = reproductions(results)
    drawn = {tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() > 1}
    assert drawn == {(one.low, one.high) for one in found.rows if one.low == one.low}


def test_what_is_told(results, texts):
    figure = reproduction(results)
    written = [one.replace("\n", " ") for one in texts(figure)]
    assert " no score" in written and "*" in written and "ours: opposite" in written
    assert any("1 of 4 published signs reproduced, 2 point the same way." in one for one in written)
    assert alternative(figure) == (
        "vqa acc., 4 published differences to full beside ours: not shown: small loss; reproduced: large loss; "
        "opposite: other way; no interval: gone"
    )


def test_one_seed_has_no_interval(field, grid, texts):
    for row, score in (("a", 1.0), ("b", 2.0)):
        field.done(row, 0, {"vqa": {"accuracy": score}}, settings={"published": {"vqa.accuracy": score}})
    written = [one.replace("\n", " ") for one in texts(reproduction(field.read()))]
    assert any("one seed, so there is no interval" in one for one in written) and "ours: no interval" in written


def test_only_tasks_with_published_numbers_are_drawn(results, field):
    field.done("full", 3, {"captioning": {"CIDEr": 1.0}})
    both = field.read()
    assert published_tasks(both) == ["vqa"]
    assert [options["task"] for kind, options in all_plots(both)[0] if kind == "reproduction"] == ["vqa"]
    with pytest.raises(UserError, match="unknown task with published numbers 'captioning'"):
        reproduction(both, task="captioning")


def test_nothing_to_draw(grid, vqa):
    results = vqa(["a", "b"], 1)
    assert "not two rows with a published number" in why_no_reproduction(results)
    with pytest.raises(UserError, match="not two rows with a published number"):
        reproduction(results)


def test_published_numbers_without_a_score(grid):
    from_published = {"a": {"vqa.accuracy": 1.0}, "b": {"vqa.accuracy": 2.0}}
    grid.plan("a", 0)
    grid.plan("b", 0)
    grid.published = from_published
    grid.close()
    results = load(grid.folder)
    assert "no row with a published number has a score" in why_no_reproduction(results)
    with pytest.raises(UserError, match="no row with a published number has a score"):
        reproduction(results)


@pytest.mark.parametrize("width", ["column", "page"])
def test_names_stay_inside_and_apart(width, field, grid, nasty):
    for at in range(12):
        for seed in range(2):
            published = {"vqa.accuracy": 60.0 + at}
            scores = {"vqa": {"accuracy": 10.0 + at * seed}}
            field.done(f"{nasty} {at}", seed, scores, settings={"published": published})
    figure = reproduction(field.read(), width=width)
    figure.draw_without_rendering()
    room, boxes = figure.bbox, [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1 for box in boxes)
    assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))


def test_equal_results_give_equal_bytes(results):
    assert svg(reproduction(results)) == svg(reproduction(results))


def test_an_unknown_width(results):
    with pytest.raises(UserError, match="unknown width"):
        reproduction(results, width="wide")
