"""The spread between seeds, pooled over rows that share a baseline, and how well it is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vlpbench.results.power.spread import pooled_spread


def test_known_answers():
    found = pooled_spread([np.array([1.0, 2.0, 3.0])])  # variance 1, two degrees
    assert found is not None and (found.std, found.degrees, found.rows, found.seeds) == (1.0, 2.0, 1, 3)
    low, high = (np.sqrt(2 / stats.chi2(2).ppf(share)) for share in (0.975, 0.025))
    assert (found.low, found.high) == pytest.approx((low, high)) and found.is_rough
    two = pooled_spread([np.array([1.0, 2.0, 3.0]), np.array([0.0, 6.0])])  # variances 1 and 18
    assert two is not None and two.std == pytest.approx(np.sqrt((2 * 1 + 1 * 18) / 3))
    assert (two.least, two.most) == pytest.approx((1.0, np.sqrt(18.0))) and two.degrees == 3 / 1.25


def test_rows_of_one_seed_say_nothing():
    assert pooled_spread([]) is None and pooled_spread([np.array([1.0])]) is None
    found = pooled_spread([np.array([1.0]), np.array([1.0, 2.0])])
    assert found is not None and found.rows == 1


def test_many_seeds_are_not_rough():
    found = pooled_spread([np.random.default_rng(0).normal(size=40)])
    assert found is not None and not found.is_rough and found.low < 1 < found.high


def test_differences_that_are_all_equal_have_no_spread():
    assert pooled_spread([np.array([2.0, 2.0, 2.0]), np.array([1e-14, 0.0])]) is None


@pytest.mark.parametrize(("rows", "seeds"), [(1, 3), (2, 5), (11, 6)])
def test_the_interval_covers_the_truth_although_rows_share_a_baseline(rows: int, seeds: int):
    rng = np.random.default_rng(rows)
    hit = 0
    for _ in range(1500):
        base = rng.normal(size=seeds)
        found = pooled_spread([rng.normal(size=seeds) - base for _ in range(rows)])
        assert found is not None
        hit += found.low <= np.sqrt(2) <= found.high
    assert 0.93 <= hit / 1500 <= 0.97
