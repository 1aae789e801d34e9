"""Loss curves: means over seeds, losses of different objectives apart, few points a line."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results.plots.curves import curves, why_no_curves
from vlpbench.results.plots.style import INKS, alternative

SCORE = {"vqa": {"accuracy": 9.0}}


def lines(axes):
    """Name -> line, of the means."""
    return {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}


def test_the_mean_over_seeds_and_each_seed(field, falling):
    for seed in range(3):
        field.done("a", seed, SCORE, curve=falling(4, 1.0 + seed))
    figure = curves(field.read())
    (axes,) = figure.axes
    mean = lines(axes)["a"]
    assert list(mean.get_xdata()) == [5, 10, 15, 20]
    assert list(mean.get_ydata()) == pytest.approx([2 / at for at in (1, 2, 3, 4)])
    assert len(axes.lines) == 4
    assert alternative(figure) == "loss of pretrain of 1 rows, at the end: a 0.50"


def test_samples_seen(field, falling):
    field.done("a", 0, SCORE, curve=falling(2, 1.0), settings={"budget": {"batch": 64, "samples": 640}})
    axes = curves(field.read(), x="samples").axes[0]
    assert list(lines(axes)["a"].get_xdata()) == [320, 640]
    assert axes.get_xlabel() == "pretrain samples seen"


def test_objectives_have_panels_of_their_own(field, falling):
    for row, objective in (("a", "prefix-lm"), ("b", "contrastive"), ("c", "prefix-lm")):
        field.done(row, 0, SCORE, curve=falling(3, 1.0 + ord(row)), settings={"objective": objective})
    first, second = curves(field.read()).axes
    assert (list(lines(first)), list(lines(second))) == (["a", "c"], ["b"])
    assert first.get_title(loc="left") == "prefix-lm"


def test_a_panel_has_no_more_lines_than_there_are_inks(vqa):
    figure = curves(vqa([f"row {at}" for at in range(12)], 1), width="page")
    panels = [lines(axes) for axes in figure.axes]
    assert max(map(len, panels)) <= len(INKS)
    assert [name for panel in panels for name in panel] == [f"row {at}" for at in range(12)]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1  # one objective, one axis


def test_rows_that_share_a_pretraining_share_a_line(field, falling):
    field.done("seeing", 0, SCORE, curve=falling(3, 2.0))
    field.done("blind", 0, SCORE, curve=falling(3, 2.0))
    assert list(lines(curves(field.read()).axes[0])) == ["seeing = blind"]


def test_long_curves_are_thinned_and_smoothing_is_said(field, falling):
    field.done("a", 0, SCORE, curve=falling(5000, 2.0))
    results = field.read()
    axes = curves(results, smooth=4).axes[0]
    drawn = lines(axes)["a"]
    assert len(drawn.get_xdata()) == 200
    assert drawn.get_xdata()[-1] == 25_000
    assert drawn.get_ydata()[0] == 2.0
    assert axes.get_ylabel() == "loss, mean of 4 points"
    last = np.mean([2.0 / at for at in (4997, 4998, 4999, 5000)])
    assert drawn.get_ydata()[-1] == pytest.approx(last)


def test_seeds_of_different_length_are_cut_to_what_all_have(field, falling):
    field.done("a", 0, SCORE, curve=falling(5, 2.0))
    field.done("a", 1, SCORE, curve=falling(3, 2.0))
    assert len(lines(curves(field.read()).axes[0])["a"].get_xdata()) == 3


def test_another_stage(field, falling):
    curve = falling(3, 2.0) + falling(2, 9.0, "vqa")
    field.done("a", 0, SCORE, curve=curve, settings={"protocol": {"vqa": {"batch": 32}}})
    axes = curves(field.read(), stage="vqa", x="samples").axes[0]
    assert list(lines(axes)["a"].get_xdata()) == [160, 320]
    assert axes.get_title(loc="left") == ""


def test_a_single_point_is_seen(field, falling):
    field.done("a", 0, SCORE, curve=falling(1, 2.0))
    (line,) = curves(field.read()).axes[0].get_lines()
    assert line.get_marker() == "o" and line.get_markevery() is None, "no share of a line that has no length"


def test_a_loss_that_is_no_number_breaks_nothing(field, falling):
    broken = [{"stage": "pretrain", "step": at, "loss": float("nan") if at > 1 else 3.0 - at} for at in range(4)]
    field.done("a", 0, SCORE, curve=falling(4, 2.0))
    results = field.read()
    results.records()[0].cell.path.joinpath("curve.jsonl").write_text(
        "\n".join(str(point).replace("'", '"').replace("nan", "NaN") for point in broken), encoding="utf-8"
    )
    figure = curves(results)
    figure.draw_without_rendering()
    assert np.isfinite(figure.axes[0].get_ylim()).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [({"stage": "pretrian"}, "unknown stage"), ({"x": "sample"}, "unknown axis"), ({"smooth": 0}, "over 0 points")],
)
def test_what_cannot_be_asked(options, words, vqa):
    with pytest.raises(UserError, match=words):
        curves(vqa(["a"], 1), **options)


def test_no_curve_at_all(field):
    field.done("a", 0, SCORE)
    results = field.read()
    assert why_no_curves(results) == "no finished cell has a loss curve"
    with pytest.raises(UserError, match="no finished cell has a loss curve"):
        curves(results)
