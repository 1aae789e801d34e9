"""How many seeds and examples a gap needs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results.statistics import (
    Components,
    components,
    examples_needed,
    paired_over_both,
    paired_over_seeds,
    power_of,
    seeds_needed,
    smallest_gap,
)


def spread(seed=1.0, image=900.0, interaction=900.0, seeds=6):
    return Components(0.0, seeds, 1000, seed, image, interaction)


def test_known_powers():
    # paired t, effect 1 standard deviation: Cohen's tables, two-sided at .05
    assert power_of(1.0, 1.0, 10) == pytest.approx(0.803, abs=0.001)
    assert power_of(0.5, 1.0, 34) == pytest.approx(0.808, abs=0.001)
    assert (seeds_needed(1.0, 1.0), seeds_needed(0.5, 1.0), seeds_needed(0.8, 1.0)) == (10, 34, 15)


def test_power_is_how_often_the_test_finds_the_gap():
    draws = np.random.default_rng(0).normal(1.2, 1, (3000, 6))
    found = np.mean([paired_over_seeds(one).p < 0.05 for one in draws])
    assert power_of(1.2, 1.0, 6) == pytest.approx(found, abs=0.03)


def test_no_gap_is_found_as_often_as_alpha_says():
    assert power_of(0.0, 1.0, 6, 0.01) == pytest.approx(0.01)
    assert power_of(-1.0, 1.0, 6) == power_of(1.0, 1.0, 6)


def test_one_seed_finds_nothing_and_no_spread_hides_nothing():
    assert power_of(100.0, 1.0, 1) == 0.0 and smallest_gap(1, 1.0) == math.inf
    assert power_of(0.1, 0.0, 2) == 1.0 and power_of(0.0, 0.0, 2) == 0.05 and smallest_gap(2, 0.0) == 0.0


def test_a_very_large_gap_is_certain():
    assert power_of(1e6, 1.0, 3) == pytest.approx(1.0) and power_of(1e4, 1.0, 300) == pytest.approx(1.0)


@pytest.mark.parametrize(("gap", "alpha", "power"), [(0.3, 0.05, 0.8), (2.0, 0.05 / 11, 0.9), (1.0, 0.01, 0.5)])
def test_the_seeds_named_are_the_fewest(gap, alpha, power):
    n = seeds_needed(gap, 1.0, alpha, power)
    assert power_of(gap, 1.0, n, alpha) >= power > power_of(gap, 1.0, n - 1, alpha)


def test_more_seeds_than_asked_for_are_none():
    assert seeds_needed(0.01, 1.0) is None and seeds_needed(0.0, 1.0) is None
    assert seeds_needed(0.5, 1.0, most=33) is None and seeds_needed(0.5, 1.0, most=34) == 34


@pytest.mark.parametrize("seeds", [2, 6, 30])
def test_the_smallest_gap_has_just_this_power(seeds):
    assert power_of(smallest_gap(seeds, 2.5), 2.5, seeds) == pytest.approx(0.8)


def test_examples_for_these_very_models():
    # (1.96 + .8416)^2 (900 + 900 / 6) / 2^2
    assert examples_needed(2.0, spread(), 6) == pytest.approx(2.8016**2 * 1050 / 4, abs=2)
    assert examples_needed(0.0, spread(), 6) is None


def test_seeds_that_vary_too_much_cannot_be_made_up_for_by_examples():
    assert examples_needed(1.0, spread(seed=4.0), 3, "seeds and examples") is None
    assert examples_needed(1.0, spread(seed=4.0), 1, "seeds and examples") is None
    assert examples_needed(1.0, spread(seed=4.0), 3) is not None


def test_new_seeds_too_need_more_examples_than_these_models():
    both, alone = examples_needed(3.0, spread(), 6, "seeds and examples"), examples_needed(3.0, spread(), 6)
    assert both is not None and alone is not None and both > alone
    steady = examples_needed(3.0, spread(seed=-0.1, interaction=0.0), 6, "seeds and examples")
    assert steady == examples_needed(3.0, spread(interaction=0.0), 6)


def test_so_many_examples_do_find_the_gap():
    known, seeds = spread(seed=0.5, image=50.0, interaction=50.0), 5
    images = examples_needed(2.0, known, seeds, "seeds and examples")
    rng, found = np.random.default_rng(1), []
    for _ in range(600):
        d = 2 + rng.normal(0, math.sqrt(0.5), (seeds, 1)) + rng.normal(0, math.sqrt(50), (1, images))
        d = d + rng.normal(0, math.sqrt(50), (seeds, images))
        found.append(paired_over_both(d, np.zeros_like(d), np.ones(images)).p < 0.05)
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


def test_one_seed_does_not_tell_what_seeds_do():
    one = components([[1.0, 2.0, 4.0]], [[0.0, 0.0, 0.0]], [1, 1, 1])
    assert examples_needed(1.0, one, 1) is not None
    with pytest.raises(UserError, match="one seed"):
        examples_needed(1.0, one, 3, "seeds and examples")


@pytest.mark.parametrize("asked", [(1.0, -1.0, 3), (1.0, math.nan, 3), (1.0, 1.0, 3, 0.0), (1.0, 1.0, 3, 2.0)])
def test_bad_input(asked):
    with pytest.raises(UserError):
        power_of(*asked)


def test_a_power_is_a_fraction():
    for bad in (lambda: seeds_needed(1.0, 1.0, power=80), lambda: smallest_gap(3, 1.0, power=1.0)):
        with pytest.raises(UserError, match="power"):
            bad()


@pytest.mark.parametrize("gap", [float("nan"), float("inf")])
def test_a_gap_is_a_number(gap):
    with pytest.raises(UserError, match="a gap of"):
        power_of(gap, 1.0, 6)
    with pytest.raises(UserError, match="a gap of"):
        examples_needed(gap, Components(0.0, 6, 100, 1.0, 1.0, 1.0), 6)
