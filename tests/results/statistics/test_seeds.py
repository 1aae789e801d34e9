"""t over seeds: known answers, what can't be had, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vlpbench.errors import UserError
from vlpbench.results.statistics import mean_over_seeds, paired_over_seeds


def test_a_mean_has_the_t_interval_of_the_textbook():
    found = mean_over_seeds([1.0, 2.0, 3.0])
    assert (found.estimate, found.n, found.target, found.method) == (2.0, 3, "seeds", "t over 3 seeds")
    assert found.high - 2.0 == pytest.approx(4.302653 / math.sqrt(3), abs=1e-6)
    assert found.low + found.high == pytest.approx(4.0) and math.isnan(found.p) and found.note == ""


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_paired_differences_agree_with_scipy(level):
    pairs = np.array([0.3, 1.2, -0.4, 2.0, 0.9, 0.1])
    found, known = paired_over_seeds(pairs, level), stats.ttest_1samp(pairs, 0)
    interval = known.confidence_interval(level)
    assert (found.low, found.high, found.p) == pytest.approx((interval.low, interval.high, known.pvalue), rel=1e-12)
    assert found.level == level


def test_one_seed_has_neither_interval_nor_test():
    for found in (mean_over_seeds([61.0]), paired_over_seeds([0.5])):
        assert np.isnan([found.low, found.high, found.p]).all() and found.n == 1
        assert "one seed has no spread" in found.note


def test_two_seeds_are_wide_and_say_so():
    found = paired_over_seeds([1.0, 2.0])
    assert (found.high - 1.5) / math.sqrt(0.5) == pytest.approx(12.7062 / math.sqrt(2), rel=1e-4)
    assert "9 standard deviations" in found.note
    assert "1.2 standard deviations" in paired_over_seeds([1.0, 2.0], 0.67).note


def test_equal_differences():
    nothing, always = paired_over_seeds([0.0, 1e-14, -1e-14]), paired_over_seeds([0.1, 0.1 + 1e-15, 0.1])
    assert nothing.p == 1.0 and np.isnan([nothing.low, nothing.high]).all() and "alike in every seed" in nothing.note
    assert np.isnan([always.p, always.low, always.high]).all() and always.estimate == pytest.approx(0.1)
    assert "the same in all 3 seeds" in always.note


def test_scores_that_are_all_equal_have_no_interval():
    found = mean_over_seeds([49.7] * 4)
    assert found.estimate == pytest.approx(49.7) and np.isnan([found.low, found.high]).all() and "alike" in found.note


@pytest.mark.parametrize("values", [[1.0, math.nan], [math.inf, 1.0], [], [[1.0, 2.0]]])
def test_what_are_no_scores_is_refused(values):
    with pytest.raises(UserError):
        paired_over_seeds(values)
    with pytest.raises(UserError):
        mean_over_seeds(values)


def test_a_level_is_a_fraction():
    with pytest.raises(UserError, match="level is 95"):
        mean_over_seeds([1.0, 2.0], 95)


@pytest.mark.parametrize("seeds", [3, 6, 9])
@pytest.mark.parametrize("draw", ["normal", "of two uniforms", "of 400 questions"])
def test_the_interval_covers_95_in_100(seeds, draw):
    rng, rounds = np.random.default_rng(seeds), 4000
    pairs = {
        "normal": lambda: rng.normal(1.0, 2.0, (rounds, seeds)),
        "of two uniforms": lambda: 1.0 + rng.uniform(size=(rounds, seeds)) - rng.uniform(size=(rounds, seeds)),
        "of 400 questions": lambda: 1.0 + (rng.binomial(400, 0.62, (rounds, seeds)) / 4 - 62),
    }[draw]()
    found = [paired_over_seeds(one) for one in pairs]
    assert 0.93 < np.mean([one.low <= 1.0 <= one.high for one in found]) < 0.97
    assert all((one.p < 0.05) == (one.low > 0 or one.high < 0) for one in found[:200])
