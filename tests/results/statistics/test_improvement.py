"""The probability of improvement, paired and over all pairs of runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vlpbench.errors import UserError
from vlpbench.results.statistics import probability_of_improvement, probability_over_pairs


@pytest.mark.parametrize(("better", "n"), [(0, 5), (3, 5), (5, 5), (8, 9)])
def test_it_agrees_with_clopper_and_pearson(better, n):
    found = probability_of_improvement([1.0] * better + [-1.0] * (n - better))
    known = stats.binomtest(better, n).proportion_ci(0.95, "exact")
    assert found == pytest.approx((better / n, known.low, known.high))


def test_a_tie_is_half():
    found = probability_of_improvement([1.0, 0.0, -1.0, 1e-15])
    assert found.share == 0.5 and found.low == pytest.approx(1 - found.high)


def test_three_wins_of_three_can_be_chance():
    assert probability_of_improvement([0.1, 0.2, 0.3]).low == pytest.approx(0.025 ** (1 / 3))


def test_the_interval_covers_at_least_95_in_100():
    draws = np.random.default_rng(0).normal(0.6, 1, (1500, 6))
    truth = stats.norm.cdf(0.6)
    found = [probability_of_improvement(one) for one in draws]
    assert np.mean([one.low <= truth <= one.high for one in found]) > 0.94


def test_over_all_pairs_it_is_mann_and_whitneys_u():
    a, b = [1.0, 2.0, 3.0, 3.0], [0.0, 1.0, 2.5]
    assert probability_over_pairs(a, b).share == pytest.approx(stats.mannwhitneyu(a, b).statistic / 12)


def test_over_all_pairs_the_two_sides_mirror_each_other():
    a, b = [1.0, 4.0, 2.0], [0.5, 3.0, 3.5, 1.5]
    found, turned = probability_over_pairs(a, b), probability_over_pairs(b, a)
    assert found == pytest.approx((1 - turned.share, 1 - turned.high, 1 - turned.low))
    assert found.low < found.share < found.high


def test_where_one_wins_every_pair_the_interval_ends_at_one():
    found = probability_over_pairs([5.0, 6.0, 7.0], [1.0, 2.0, 3.0])
    assert (found.share, found.high) == (1.0, 1.0) and 0.3 < found.low < 0.7
    assert probability_over_pairs([1.0], [2.0]).low == 0.0


@pytest.mark.parametrize(("n", "shift"), [(3, 0.0), (6, 0.8), (9, 1.5)])
def test_over_all_pairs_the_interval_covers(n, shift):
    rng, truth = np.random.default_rng(n), stats.norm.cdf(shift / math.sqrt(2))
    found = [probability_over_pairs(rng.normal(shift, 1, n), rng.normal(0, 1, n)) for _ in range(800)]
    assert np.mean([one.low <= truth <= one.high for one in found]) > 0.925


def test_bad_input():
    with pytest.raises(UserError):
        probability_of_improvement([])
    with pytest.raises(UserError):
        probability_over_pairs([1.0], [math.nan])
    with pytest.raises(UserError, match="level"):
        probability_of_improvement([1.0], level=1.0)
