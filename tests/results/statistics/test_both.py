"""New seeds and new examples: coverage of what is stated, and agreement with drawing both anew."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results.statistics import components, paired_bootstrap, paired_over_both, paired_over_seeds

TRUTH = 3.0


@pytest.fixture
def found_in(made):
    """found_in(world, seeds, rounds) -> findings over 150 images."""

    def several(world, seeds, rounds):
        rng = np.random.default_rng([seeds, *world.encode()])
        for _ in range(rounds):
            differences, counts = made(world, seeds, 150, rng)
            yield paired_over_both(differences, np.zeros_like(differences), counts)

    return several


@pytest.mark.parametrize("seeds", [3, 6, 9])
def test_the_interval_covers_95_in_100(found_in, world, seeds):
    covers = [one.low <= TRUTH <= one.high for one in found_in(world, seeds, 1000)]
    assert 0.93 < np.mean(covers) < 0.97  # the standard error of 1,000 rounds is 0.007


def test_two_seeds_cover_what_their_note_says(found_in):
    found = [[*found_in(world, 2, 1000)] for world in ("images", "seeds", "both", "seeds and chance")]
    covers = [np.mean([one.low <= TRUTH <= one.high for one in some]) for some in found]
    assert all("covers 94 to 99%" in one.note for some in found for one in some)
    assert min(covers) > 0.935 and max(covers) < 0.99


@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_it_never_claims_more_than_seeds_alone(made, world, seeds):
    rng = np.random.default_rng(8)
    for _ in range(30):
        differences, counts = made(world, seeds, 60, rng)
        both = paired_over_both(differences, np.zeros_like(differences), counts)
        alone = paired_over_seeds(differences.sum(1) / counts.sum())
        if np.isfinite(alone.low) and np.isfinite(both.p):
            assert both.low <= alone.low + 1e-9 and both.high >= alone.high - 1e-9 and both.p >= alone.p * (1 - 1e-6)


def test_seeds_alone_would_claim_too_much_about_examples(made):
    rng, short = np.random.default_rng(0), 0
    for _ in range(300):
        differences, counts = made("both", 6, 150, rng)
        found = paired_over_seeds((differences / counts).mean(1))
        short += not found.low <= TRUTH <= found.high
    assert short > 24  # 95% would miss 15 of 300


def test_the_variance_is_what_drawing_seeds_and_images_anew_converges_to(made):
    """Owen 2007: such draws vary as both sources together do, and count the interaction three times."""
    rng = np.random.default_rng(1)
    S, images = 40, 60
    differences, counts = made("questions", S, images, rng)
    drawn_seeds = rng.multinomial(S, [1 / S] * S, 4000)
    drawn_images = rng.multinomial(images, [1 / images] * images, 4000)
    ratios = np.einsum("rs,si,ri->r", drawn_seeds, differences, drawn_images) / (S * (drawn_images @ counts))
    found = components(differences, np.zeros_like(differences), counts)
    twice = found.variance(S, images) + 2 * found.interaction / (S * images)
    assert ratios.var() == pytest.approx(twice, rel=0.1)


def test_p_inverts_the_interval(made):
    rng = np.random.default_rng(2)
    for level in (0.5, 0.9, 0.99):
        differences, counts = made("both", 4, 80, rng)
        edge = paired_over_both(differences, np.zeros_like(differences), counts, level).low
        moved = paired_over_both(differences, edge * np.tile(counts, (4, 1)), counts, level)
        assert moved.p == pytest.approx(1 - level, rel=1e-6) and moved.low == pytest.approx(0, abs=1e-9)


def test_p_of_nothing_of_much_and_of_no_end():
    rng = np.random.default_rng(3)
    noise, zero, ones = rng.normal(size=(5, 50)), np.zeros((5, 50)), np.ones(50)
    assert paired_over_both(noise - noise.mean(), zero, ones).p == pytest.approx(1.0, abs=1e-6)
    assert paired_over_both(noise + 10, zero, ones).p < 1e-4
    assert paired_over_both(np.tile(noise[0], (5, 1)) + 1e6, zero, ones).p == 0.0


def test_where_images_alone_vary_it_is_the_interval_over_images_and_where_seeds_alone_vary_that_over_seeds():
    rng = np.random.default_rng(4)
    of_images, of_seeds = np.tile(rng.normal(size=400), (3, 1)), np.tile(rng.normal(size=(3, 1)), 400)
    zero, ones = np.zeros((3, 400)), np.ones(400)
    both, images = paired_over_both(of_images, zero, ones), paired_bootstrap(of_images, zero, ones)
    assert (both.low, both.high) == pytest.approx((images.low, images.high), abs=0.01)
    both, seeds = paired_over_both(of_seeds, zero, ones), paired_over_seeds(of_seeds[:, 0])
    assert (both.low, both.high, both.p) == pytest.approx((seeds.low, seeds.high, seeds.p))


def test_which_side_is_which():
    rng = np.random.default_rng(5)
    a, b, ones = rng.normal(2, 1, (4, 60)), rng.normal(0, 1, (4, 60)), np.ones(60)
    one, other = paired_over_both(a, b, ones), paired_over_both(b, a, ones)
    assert one.estimate == pytest.approx(2, abs=0.5)
    assert (one.low, one.high, one.p) == pytest.approx((-other.high, -other.low, other.p))
    assert (one.n, one.target) == (4, "seeds and examples") and "4 x 60" in one.method


def test_one_seed_has_no_interval():
    found = paired_over_both([[1.0, 2.0]], [[0.0, 0.0]], [1, 1])
    assert np.isnan([found.low, found.high, found.p]).all() and "one seed" in found.note and found.estimate == 1.5


def test_rows_that_are_alike_everywhere():
    sums, ones = np.ones((3, 20)), np.ones(20)
    alike, ahead = paired_over_both(sums, sums, ones), paired_over_both(sums + 1, sums, ones)
    assert alike.p == 1.0 and math.isnan(alike.low) and "no spread" in alike.note
    assert math.isnan(ahead.p) and math.isnan(ahead.high) and ahead.estimate == 1.0
    assert "no spread" in ahead.note


def test_seeds_that_agree_by_luck_are_told():
    rng = np.random.default_rng(6)
    noise = rng.normal(size=(3, 200))
    lucky = noise - noise.mean(1, keepdims=True) + [[0.99], [1.0], [1.01]]
    found = paired_over_both(lucky, np.zeros((3, 200)), np.ones(200))
    assert "narrower than for these very models" in found.note


@pytest.mark.parametrize("seeds", [2, 3, 9, 40])
@pytest.mark.parametrize("gap", [0.01, 1.0, 30.0, 1e4, 1e8])
def test_p_is_a_number_and_falls_with_the_gap(seeds, gap):
    noise, zero, ones = np.random.default_rng(7).normal(size=(seeds, 30)), np.zeros((seeds, 30)), np.ones(30)
    near, far = (paired_over_both(noise - noise.mean() + one, zero, ones).p for one in (gap, 2 * gap))
    assert 0 <= far <= near <= 1


def test_bad_input():
    with pytest.raises(UserError, match="level"):
        paired_over_both(np.ones((2, 3)), np.zeros((2, 3)), np.ones(3), 0.0)
    with pytest.raises(UserError, match="no pairs"):
        paired_over_both(np.ones((2, 3)), np.zeros((3, 3)), np.ones(3))
