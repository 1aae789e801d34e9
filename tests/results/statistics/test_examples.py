"""New examples: coverage over images, agreement with scipy's bootstrap, McNemar."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats

from vlpbench.errors import UserError
from vlpbench.results.statistics import mcnemar, paired_bootstrap, paired_over_both


def pairs(kind, images, rng):
    """Sums of a difference over images (one seed), examples an image, and the true ratio."""
    ones = np.ones(images)
    if kind == "normal":
        return rng.normal(0.5, 1, images), ones, 0.5
    if kind == "right or wrong":
        shared, a, b = rng.random(images) < 0.6, rng.random(images), rng.random(images)
        return 1.0 * (a < 0.6) - 1.0 * (np.where(shared, a, b) < 0.5), ones, 0.1
    if kind == "skewed":
        return rng.exponential(1, images), ones, 1.0
    counts = rng.integers(1, 8, images).astype(float)
    return counts * rng.normal(0.3, 0.5, images) + np.sqrt(counts) * rng.normal(0, 1, images), counts, 0.3


@pytest.mark.parametrize("images", [50, 300])
@pytest.mark.parametrize("kind", ["normal", "right or wrong", "skewed", "questions"])
def test_the_interval_covers_95_in_100(kind, images):
    rng, rounds, covers, agree = np.random.default_rng([images, len(kind)]), 500, 0, 0
    for at in range(rounds):
        sums, counts, truth = pairs(kind, images, rng)
        found = paired_bootstrap([sums], [np.zeros(images)], counts, resamples=500, seed=at)
        covers += found.low <= truth <= found.high
        agree += (found.p < 0.05) == (found.low > 0 or found.high < 0)
    assert 0.92 < covers / rounds < 0.98  # the standard error of 500 rounds is 0.01
    assert agree == rounds


def test_where_images_are_many_it_is_scipys_paired_bootstrap():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, 400), rng.normal(0.8, 1, 400)
    known = stats.bootstrap((a, b), lambda x, y, axis: (x - y).mean(axis), paired=True, n_resamples=4000,
                            method="BCa", rng=np.random.default_rng(1)).confidence_interval
    found = paired_bootstrap([a], [b], np.ones(400))
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=0.012)
    assert found.estimate == pytest.approx((a - b).mean())


def test_seeds_are_averaged_and_not_drawn():
    rng = np.random.default_rng(1)
    a, b, counts = rng.normal(1, 1, (6, 80)), rng.normal(0, 1, (6, 80)), rng.integers(1, 5, 80)
    several, one = paired_bootstrap(a, b, counts), paired_bootstrap([a.mean(0)], [b.mean(0)], counts)
    assert (several.low, several.high, several.p) == pytest.approx((one.low, one.high, one.p))
    assert (several.n, one.n, several.target) == (6, 1, "examples")


def test_equal_seeds_draw_equal_resamples_and_chunks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(2)
    a, b, ones = rng.normal(size=(2, 90)), rng.normal(size=(2, 90)), np.ones(90)
    found = paired_bootstrap(a, b, ones, seed=3)
    assert found == paired_bootstrap(a, b, ones, seed=3) != paired_bootstrap(a, b, ones, seed=4)
    monkeypatch.setattr("vlpbench.results.statistics.examples.AT_ONCE", 1000)
    assert paired_bootstrap(a, b, ones, seed=3).high == pytest.approx(found.high, rel=1e-9)


def test_a_whole_set_at_once_takes_little_time():
    rng = np.random.default_rng(3)
    a, b, ones = rng.normal(size=(6, 5000)), rng.normal(size=(6, 5000)), np.ones(5000)
    start = time.process_time()
    assert paired_bootstrap(a, b, ones).n == 6
    assert time.process_time() - start < 10


def test_p_has_a_floor_and_a_roof():
    far = paired_bootstrap([np.linspace(5, 6, 60)], [np.zeros(60)], np.ones(60), resamples=999)
    near = paired_bootstrap([np.linspace(-1, 1, 60)], [np.zeros(60)], np.ones(60), resamples=999)
    assert far.p == pytest.approx(1 / 1000) and near.p > 0.99


@pytest.mark.parametrize("resamples", [199, 399, 500, 999])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_interval_and_p_agree_to_the_last_resample(resamples, level):
    """Where level times resamples is whole, too: the difference is put right at an end, and right beyond it."""
    values, zeros, ones = np.random.default_rng(5).normal(0, 1, 40), np.zeros((1, 40)), np.ones(40)
    half = (lambda found: (found.high - found.low) / 2)(paired_bootstrap([values], zeros, ones, resamples, level=level))
    for shift, is_out in ((half * (1 - 1e-6), False), (half * (1 + 1e-6), True)):
        found = paired_bootstrap([values - values.mean() + shift], zeros, ones, resamples, level=level)
        assert (found.low > 0) == (found.p < round(1 - level, 9)) == is_out


def test_a_level_that_no_p_can_reach_has_no_interval():
    far = paired_bootstrap([np.linspace(5, 6, 60)], [np.zeros(60)], np.ones(60), resamples=200, level=0.999)
    assert math.isnan(far.low) and "200 resamples are too few for 0.999" in far.note and far.p > 0.001


def test_rows_that_score_alike_or_apart_by_a_constant():
    sums, counts = np.ones((1, 20)), np.arange(1.0, 21)
    alike = paired_bootstrap(sums, sums, counts)
    assert alike.p == 1.0 and math.isnan(alike.low) and "alike" in alike.note
    ahead = paired_bootstrap(sums + counts, sums, counts)
    assert ahead.estimate == pytest.approx(1.0) and math.isnan(ahead.p) and "no spread" in ahead.note


def test_a_few_images_that_differ_claim_nothing():
    a = np.zeros((1, 500))
    a[0, :2] = 1.0
    found = paired_bootstrap(a, np.zeros((1, 500)), np.ones(500))
    assert "differ on 2 of 500 images alone" in found.note
    assert math.isnan(found.low) and found.p > 0.05


def test_few_images_that_carry_the_difference_are_told_of():
    rng, zeros, ones = np.random.default_rng(6), np.zeros((1, 400)), np.ones(400)
    even, heavy = rng.normal(size=(1, 400)), rng.normal(size=(1, 400)) + 60 * (np.arange(400) < 6)
    assert paired_bootstrap(even, zeros, ones).note == ""
    assert "varies as of 6 equal ones" in paired_bootstrap(heavy, zeros, ones).note
    both = [paired_over_both(np.tile(one, (3, 1)) + rng.normal(0, 0.1, (3, 1)), np.zeros((3, 400)), ones)
            for one in (even, heavy)]
    assert both[0].note == "" and "few images carry" in both[1].note
    seeds = paired_over_both(heavy + rng.normal(0, 30, (3, 1)), np.zeros((3, 400)), ones)
    assert "few images" not in seeds.note  # seeds vary more


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 6), (3, 10), (10, 3), (25, 25), (0, 1)])
def test_mcnemar_is_the_binomial_test(only_a, only_b):
    assert mcnemar(only_a, only_b) == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)


def test_mcnemar_of_nothing():
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize("asked", [(-1, 2), (1.5, 2)])
def test_mcnemar_counts(asked):
    with pytest.raises(UserError, match="no counts"):
        mcnemar(*asked)


@pytest.mark.parametrize("more", [{"resamples": 10}, {"level": 95.0}])
def test_bad_settings(more):
    with pytest.raises(UserError):
        paired_bootstrap(np.ones((1, 5)), np.zeros((1, 5)), np.ones(5), **more)
