"""All plots by name: options, reasons, and all that results can show."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.results import plots
from vlpbench.results.frame import load
from vlpbench.results.plots import PLOTS, all_plots, draw


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_plot_takes_what_it_says(plot):
    taken = list(inspect.signature(plot.function).parameters)
    assert taken == ["results", *plot.options]


def test_one_file_a_plot():
    files = {path.stem for path in Path(plots.__file__).parent.glob("*.py")}
    assert set(PLOTS) <= files


@pytest.mark.parametrize(
    ("kind", "options", "words", "remedy"),
    [
        ("bar", {}, "unknown plot 'bar'", "did you mean 'bars'"),
        ("bars", {"x": "flops"}, "the plot 'bars' takes no option 'x'", "curves, compute"),
        ("bars", {"colour": 1}, "takes no option 'colour'", "task, metric, width"),
    ],
)
def test_what_cannot_be_drawn(kind, options, words, remedy, vqa):
    with pytest.raises(UserError, match=words) as error:
        draw(vqa(["a"], 1), kind, **options)
    assert remedy in error.value.remedy


def test_all_that_can_be_drawn_and_why_the_rest_cannot(vqa, field):
    field.done("x", 0, {"captioning": {"CIDEr": 1.0}})
    can, cannot = all_plots(vqa(["a"], 1), width="page")
    assert [(kind, options.get("task")) for kind, options in can] == [
        ("bars", "captioning"), ("bars", "vqa"), ("curves", None), ("compute", "captioning"), ("compute", "vqa"),
    ]
    assert all(options["width"] == "page" for _, options in can)
    assert set(cannot) == {"recalls", "questions", "heatmap", "reproduction"}


def test_an_exported_frame_has_scores_and_no_curves(vqa, tmp_path):
    vqa(["a", "b"]).export(tmp_path / "frame.parquet")
    can, cannot = all_plots(load(tmp_path / "frame.parquet"))
    assert {kind for kind, _ in can} == {"bars", "compute"}
    assert "curves" in cannot


def test_results_draw_themselves(vqa):
    assert vqa(["a"], 1).plot("bars", task="vqa").get_label().startswith("vqa acc. of 1 rows")
