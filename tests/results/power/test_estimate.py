"""From results to seeds and images: who is held against whom, over how many comparisons, in which unit."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.power import PowerAsked, power
from vlpbench.results.statistics import seeds_needed, smallest_gap

BASE = (50.0, 52.0, 51.0, 53.0)
UP = (55.0, 58.0, 55.5, 59.5)


@pytest.fixture
def filled(grid):
    """Two rows of four seeds with a difference of 5.5 on average, one blind row, one to come."""
    for seed in range(4):
        grid.done("base", seed, {"accuracy": BASE[seed], "CIDEr": 0.5 + 0.01 * seed})
        grid.done("up", seed, {"accuracy": UP[seed], "CIDEr": 0.6 + 0.02 * seed})
        grid.done("base, blind", seed, {"accuracy": 20.0}, settings={"blind": True})
    grid.plan("later", 0)
    return grid


def test_known_answers(filled):
    (found,) = power(load(filled.folder))
    assert (found.grid, found.baseline, found.comparisons) == ("small", "base", 4)  # up and later, in two scores
    vqa = next(one for one in found.metrics if one.metric == "accuracy")
    std = float(np.std(np.subtract(UP, BASE), ddof=1))
    assert vqa.spread.std == pytest.approx(std) and vqa.spread.seeds == 4 and vqa.spread.rows == 1
    assert vqa.smallest == pytest.approx(smallest_gap(4, std, 0.05 / 4, 0.8))
    assert vqa.alone == pytest.approx(smallest_gap(4, std, 0.05, 0.8)) and vqa.alone < vqa.smallest
    assert [need.gap for need in vqa.ladder] == [0.5, 1.0, 2.0, 5.0, 10.0]
    for need in vqa.ladder:
        assert need.seeds == seeds_needed(need.gap, std, 0.05 / 4, 0.8)
        assert need.fewest is not None and need.seeds is not None and need.fewest <= need.seeds
    (seen,) = vqa.seen
    assert (seen.row, seen.seeds) == ("up", 4) and seen.gap == pytest.approx(5.5) and seen.std == pytest.approx(std)


def test_caption_scores_are_in_the_unit_of_print(filled):
    (found,) = power(load(filled.folder), PowerAsked(metrics=("CIDEr",), comparisons=1))
    (cider,) = found.metrics
    assert cider.seen[0].gap == pytest.approx(11.5) and cider.smallest == pytest.approx(cider.alone)
    assert cider.spread.std == pytest.approx(float(np.std([0.0, 1.0, 2.0, 3.0], ddof=1)))


def test_choices(filled):
    asked = PowerAsked("up", ("accuracy",), (3.0,), alpha=0.01, power=0.9, comparisons=7)
    (found,) = power(load(filled.folder), asked)
    assert (found.baseline, found.comparisons, found.power, found.alpha) == ("up", 7, 0.9, 0.01)
    assert found.metrics[0].seen[0].row == "base" and found.metrics[0].seen[0].gap == pytest.approx(-5.5)
    assert found.metrics[0].ladder[0].seeds == seeds_needed(3.0, found.metrics[0].spread.std, 0.01 / 7, 0.9)


def test_scores_of_single_examples_that_are_not_there_are_told_of(filled):
    (found,) = power(load(filled.folder), PowerAsked(metrics=("accuracy",)))
    assert found.metrics[0].images is None and found.metrics[0].no_images


def test_too_few_seeds_and_no_score_at_all(grid, another):
    grid.done("base", 0, {"accuracy": 50.0})
    grid.done("up", 0, {"accuracy": 50.0})
    (found,) = power(load(grid.folder))
    assert found.metrics == () and found.without == (("vqa", "accuracy"),)
    empty = another("empty")
    empty.plan("base", 0)
    assert power(load(empty.folder)) == []


def test_differences_that_never_vary_promise_nothing(grid):
    """Two seeds find no gap in scores of few steps that came out alike: the t test has nothing to go by."""
    for seed in range(3):
        for name, value in {"base": 50.0 + seed, "up": 51.0 + seed, "same": 50.0 + seed}.items():
            grid.done(name, seed, {"accuracy": value})
    (found,) = power(load(grid.folder))
    assert found.metrics == () and found.without == (("vqa", "accuracy"),)
    for seed in range(3):
        grid.done("other", seed, {"accuracy": 55.0 + seed * seed})
    (vqa,) = power(load(grid.folder))[0].metrics
    needs = {one.row: one.need for one in vqa.seen}
    assert needs["up"] is needs["same"] is None and needs["other"] is not None


def test_grids_without_the_baseline_are_left_out(filled, another):
    other = another("other")
    for seed in range(2):
        other.done("mine", seed, {"accuracy": 1.0 + seed})
    results = load(filled.folder, other.folder)
    assert [one.grid for one in power(results, PowerAsked("up"))] == ["small"]
    assert [one.baseline for one in power(results)] == ["base", "mine"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"baseline": "bade"}, "did you mean 'base'"), ({"metrics": ("acuracy",)}, "did you mean 'accuracy'")],
)
def test_names_that_are_not_there(asked, words, filled):
    with pytest.raises(UserError) as caught:
        power(load(filled.folder), PowerAsked(**asked))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "asked", [{"alpha": 0.0}, {"power": 1.0}, {"power": 0.01}, {"comparisons": 0}, {"gaps": (0.0,)},
              {"gaps": (float("nan"),)}]
)
def test_numbers_that_mean_nothing(asked):
    with pytest.raises(UserError):
        PowerAsked(**asked)
