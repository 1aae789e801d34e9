"""Sign flips: the list of all of them says the same."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from vlpbench.errors import UserError
from vlpbench.results.statistics import sign_flip, smallest_p


def listed(pairs) -> float:
    """The same by listing every way to put the signs."""
    seen = abs(sum(pairs))
    sums = [abs(sum(sign * one for sign, one in zip(signs, pairs, strict=True)))
            for signs in product((1, -1), repeat=len(pairs))]
    return float(np.mean([one >= seen - 1e-9 for one in sums]))


@pytest.mark.parametrize("n", range(1, 11))
def test_it_counts_what_a_list_of_all_flips_counts(n):
    rng = np.random.default_rng(n)
    for pairs in (rng.normal(0.5, 1, n), rng.integers(-3, 4, n) / 10, np.full(n, 0.1)):
        assert sign_flip(pairs) == pytest.approx(listed(pairs), abs=1e-12)


def test_it_agrees_with_scipy():
    pairs = np.array([0.3, 1.2, -0.4, 2.0, 0.9, 0.1, 0.7])
    known = stats.permutation_test((pairs,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(pairs) == pytest.approx(known.pvalue)


@pytest.mark.parametrize("n", [1, 3, 6, 9, 20, 40])
def test_differences_of_one_sign_have_the_smallest_p(n):
    assert sign_flip(np.linspace(0.1, 0.2, n)) == smallest_p(n) == 2 / 2**n


def test_known_smallest_ps():
    assert [round(smallest_p(n), 4) for n in (1, 3, 4, 5, 6, 8)] == [1, 0.25, 0.125, 0.0625, 0.0312, 0.0078]


def test_sums_that_differ_by_rounding_are_equal():
    assert 0.1 + 0.2 != 0.3
    assert sign_flip([0.1, 0.2, -0.3]) == 1.0
    assert sign_flip([0.1, 0.2, 0.3, -0.6 + 1e-16]) == 1.0
    assert sign_flip([0.0, 0.0]) == 1.0


def test_signs_and_scale_do_not_matter():
    pairs = np.array([1.0, 2.0, -0.5, 3.0, 0.25])
    assert sign_flip(pairs) == sign_flip(-pairs) == sign_flip(pairs * 1e-3)


def test_above_forty_there_is_none():
    assert math.isnan(sign_flip(np.ones(41)))


def test_bad_input():
    for bad in ([], [math.nan, 1.0]):
        with pytest.raises(UserError):
            sign_flip(bad)
    with pytest.raises(UserError):
        smallest_p(0)
