"""Means, spreads and intervals are numpy's and scipy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vlpbench.results import load
from vlpbench.results.tables import Asked, long

VALUES = [41.25, 39.5, 44.75]


def test_mean_and_spread_are_numpys(grid: Any) -> None:
    for seed, value in enumerate(VALUES):
        grid.done("a", seed, {"accuracy": value, "CIDEr": value / 100})
    results = load(grid.folder)
    line = long(results).set_index("metric").loc["accuracy"]
    assert line["mean"] == pytest.approx(np.mean(VALUES)) and line["std"] == pytest.approx(np.std(VALUES, ddof=1))
    assert line["n"] == line["wanted"] == 3
    table = results.wide()
    mean, std = np.mean(VALUES), np.std(VALUES, ddof=1)
    assert table.loc["a"].tolist() == [f"{mean:.1f} ± {std:.1f}"] * 2
    assert table.columns.tolist() == ["vqa acc.", "captioning CIDEr ×100"]


def test_one_seed_has_no_spread(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 41.25})
    assert load(grid.folder).wide().loc["a", "vqa acc."] == "41.2"
    assert np.isnan(long(load(grid.folder))["std"].iloc[0])


def test_interval_is_the_t_interval_over_seeds(grid: Any) -> None:
    from scipy import stats

    for seed, value in enumerate((60.0, 64.0, 59.0)):
        grid.done("a", seed, {"accuracy": value})
    line = long(load(grid.folder), Asked(metrics=("accuracy",))).iloc[0]
    low, high = stats.t.interval(0.95, 2, loc=61.0, scale=stats.sem([60.0, 64.0, 59.0]))
    assert line["interval"] == pytest.approx((high - low) / 2)


def test_every_line_says_how_it_was_measured(grid: Any) -> None:
    grid.tasks = ("vqa",)
    told = {"told": {"images": 12, "normalisation": "always"}}
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 40.0}, task=told)
    grid.done("b", 0, {"accuracy": 40.0}, task={"head": "fused"})
    grid.done("b", 1, {"accuracy": 40.0}, task=told)
    grid.plan("c", 0)
    lines = long(load(grid.folder)).set_index("row")
    how = ["protocol", "head", "data", "split", "normalisation", "images", "metrics_version"]
    assert lines.loc["a", how].tolist() == ["fine-tune", "decoder", "digits", "test", "always", "12", "1"]
    assert lines.loc["b", "head"] == "fused / decoder"
    assert set(lines.loc["c", how]) == {""}


def test_the_usual_metrics_that_some_row_has_and_those_a_paper_prints(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "accuracy[rule=2016]": 41.0, "Bleu_4": 0.5, "SPICE": None})
    assert long(load(grid.folder))["metric"].tolist() == ["accuracy", "Bleu_4"]
    grid.published = {"a": {"vqa.accuracy[rule=2016]": 42.0}}
    grid.close()
    assert long(load(grid.folder))["metric"].tolist() == ["accuracy", "accuracy[rule=2016]", "Bleu_4"]
