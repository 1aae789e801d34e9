"""Rank correlation with a published column."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from vlpbench.errors import UserError
from vlpbench.results.statistics import rank_correlation


@pytest.mark.parametrize("rows", [4, 12])
@pytest.mark.parametrize("ties", [False, True])
def test_tau_and_rho_are_scipys(rows, ties):
    rng = np.random.default_rng([rows, ties])
    ours, published = rng.normal(size=(5, rows)), rng.normal(size=rows)
    if ties:
        ours, published = np.tile(rng.integers(0, 3, rows) * 1.0, (5, 1)), np.round(published)
    found = rank_correlation(ours, published)
    assert found.tau == pytest.approx(stats.kendalltau(ours.mean(0), published).statistic)
    assert found.rho == pytest.approx(stats.spearmanr(ours.mean(0), published).statistic)
    assert (found.rows, found.n, found.target) == (rows, 5, "seeds")


def test_p_over_all_orders():
    found = rank_correlation([[1.0, 2.0, 3.0, 4.0]] * 2, [10.0, 20.0, 30.0, 40.0])
    assert (found.tau, found.tau_p, found.rho_p) == (1.0, pytest.approx(2 / 24), pytest.approx(2 / 24))
    rng = np.random.default_rng(0)
    ours, published = rng.normal(size=(1, 7)), rng.normal(size=7)
    known = stats.kendalltau(ours[0], published, method="exact")
    assert rank_correlation(ours, published).tau_p == pytest.approx(known.pvalue)


def test_p_of_many_rows_is_that_over_all_orders_and_not_scipys():
    """Spearman's t says 0.010 of these eight rows, all 40,320 orders say 0.015."""
    ours, published = np.array([1.0, 0.0, 3.0, 2.0, 6.0, 4.0, 7.0, 5.0]), np.arange(8.0)
    rho = 1 - ((np.array(list(permutations(range(8)))) - np.arange(8)) ** 2).sum(1) * 6 / (8 * 63)
    found = rank_correlation([ours], published)
    assert found.rho_p == pytest.approx((np.abs(rho) >= found.rho - 1e-9).mean(), abs=0.003)
    assert found.tau_p == pytest.approx(stats.kendalltau(ours, published, method="exact").pvalue, abs=0.003)


def test_p_of_many_rows_is_never_0_and_the_same_each_time():
    ours = np.arange(20.0)[None] + np.array([[0.0], [1.0]])
    found = rank_correlation(ours, np.arange(20.0))
    assert found.tau_p == found.rho_p == pytest.approx(1 / 20_001)
    assert "20,000 random orders" in found.method
    rng = np.random.default_rng(1)
    ours, published = rng.normal(size=(3, 12)), rng.normal(size=12)
    assert rank_correlation(ours, published) == rank_correlation(ours, published)


def test_where_seeds_settle_every_pair_the_interval_is_a_point():
    ours = np.array([[1.0, 2.0, 3.0, 4.0], [1.01, 2.02, 3.0, 4.03], [0.99, 2.0, 3.01, 4.0]])
    found = rank_correlation(ours, [1.0, 3.0, 2.0, 4.0])
    assert (found.tau_low, found.tau, found.tau_high) == pytest.approx((4 / 6,) * 3)
    assert (found.rho_low, found.rho, found.rho_high) == pytest.approx((0.8,) * 3)


def test_a_pair_that_seeds_do_not_settle_counts_either_way():
    ours = np.array([[1.0, 2.0, 3.0, 3.02], [1.01, 2.02, 3.03, 3.0], [0.99, 2.0, 3.01, 3.03]])
    found = rank_correlation(ours, [1.0, 2.0, 3.0, 4.0])
    assert (found.tau_low, found.tau, found.tau_high) == pytest.approx((4 / 6, 1, 1))
    assert (found.rho_low, found.rho, found.rho_high) == pytest.approx((0.8, 1, 1))


def test_seeds_that_tell_nothing_leave_everything_open():
    found = rank_correlation(np.random.default_rng(2).normal(size=(2, 5)), [1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.tau_low, found.tau_high, found.rho_low, found.rho_high) == pytest.approx((-1, 1, -1, 1))


def test_a_seeds_own_level_does_not_matter():
    rng = np.random.default_rng(3)
    ours, published = rng.normal(np.arange(6), 1, (6, 6)), np.arange(6.0)
    one, other = rank_correlation(ours, published), rank_correlation(ours + rng.normal(0, 50, (6, 1)), published)
    assert (one.tau_low, one.tau_high, one.rho_low) == pytest.approx((other.tau_low, other.tau_high, other.rho_low))


@pytest.mark.parametrize("seeds", [3, 6, 9])
@pytest.mark.parametrize("gap", [0.2, 2.0])
def test_the_interval_covers_the_correlation_of_expected_scores(seeds, gap):
    rng, covers, rounds = np.random.default_rng([seeds, int(gap)]), np.zeros(2), 150
    for _ in range(rounds):
        expected = rng.normal(0, gap, 7)
        published = expected + rng.normal(0, gap, 7)
        found = rank_correlation(expected + rng.normal(0, 1, (seeds, 7)), published)
        tau, rho = stats.kendalltau(expected, published).statistic, stats.spearmanr(expected, published).statistic
        covers[0] += found.tau_low - 1e-9 <= tau <= found.tau_high + 1e-9
        covers[1] += found.rho_low - 1e-9 <= rho <= found.rho_high + 1e-9
    assert (covers / rounds > 0.95).all() and "cautious" in found.note


@pytest.mark.parametrize(("seeds", "gap"), [(3, 0.0), (6, 0.0), (6, 0.1)])
def test_rows_that_are_close_and_rank_as_published_are_not_said_to_rank_otherwise(seeds, gap, monkeypatch):
    """The hardest case: each of 66 pairs may be settled the wrong way, and one is enough to miss."""
    monkeypatch.setattr("vlpbench.results.statistics.ranks.ORDERS", 100)  # of p, which is not looked at
    rng, rounds = np.random.default_rng([seeds, int(10 * gap)]), 100
    found = [rank_correlation(rng.normal(gap * np.arange(12), 1, (seeds, 12)), np.arange(12)) for _ in range(rounds)]
    assert sum(one.tau_high > 1 - 1e-9 and one.rho_high > 1 - 1e-9 for one in found) / rounds > 0.9


def test_one_seed_has_no_interval():
    found = rank_correlation([[1.0, 2.0, 3.0]], [3.0, 2.0, 1.0])
    assert found.tau == -1 and np.isnan([found.tau_low, found.rho_high]).all() and "one seed" in found.note


@pytest.mark.parametrize("rows", [3, 9])
def test_a_constant_column_has_no_ranks(rows):
    found = rank_correlation(np.random.default_rng(4).normal(size=(3, rows)), [5.0] * rows)
    assert np.isnan([found.tau, found.rho, found.tau_p, found.rho_p, found.tau_low]).all()
    assert "constant" in found.note


@pytest.mark.parametrize(
    ("ours", "published"),
    [([[1.0, 2.0]], [1.0, 2.0]), ([[1.0, 2.0, 3.0]], [1.0, 2.0, 3.0, 4.0]), ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
     ([[1.0, math.nan, 3.0]], [1.0, 2.0, 3.0]), ([[1.0, 2.0, 3.0]], [1.0, math.nan, 3.0])],
)
def test_bad_input(ours, published):
    with pytest.raises(UserError):
        rank_correlation(ours, published)
