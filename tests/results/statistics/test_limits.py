"""What seeds cannot carry, in sentences."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.results.statistics import cannot_carry, seeds_for_sign_flip, smallest_p


def test_six_seeds_and_eleven_comparisons():
    (said,) = cannot_carry(6, 11)
    assert said == (
        "6 seeds can never pass an exact sign-flip test under Holm over 11 comparisons (smallest p 0.031, "
        "needed 0.0045); 9 can"
    )
    assert cannot_carry(9, 11) == []


def test_one_comparison_needs_no_holm():
    (said,) = cannot_carry(5, 1)
    assert said == "5 seeds can never pass an exact sign-flip test (smallest p 0.062, needed 0.05); 6 can"
    assert cannot_carry(6, 1) == []


def test_one_seed_and_two_seeds():
    assert len(cannot_carry(1, 3)) == 1 and "nothing about the recipe" in cannot_carry(1, 3)[0]
    assert any("95% t interval reaches 9 standard deviations" in one for one in cannot_carry(2, 3))
    assert any("50% t interval reaches 0.71 standard deviations" in one for one in cannot_carry(2, 30, 0.5))


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.25, 0.9])
@pytest.mark.parametrize("comparisons", [1, 2, 11, 100])
def test_the_seeds_named_are_the_fewest(comparisons, alpha):
    needed = seeds_for_sign_flip(comparisons, alpha)
    assert smallest_p(needed) * comparisons < alpha
    assert needed == 1 or smallest_p(needed - 1) * comparisons >= alpha


@pytest.mark.parametrize("asked", [(0, 1), (3, 0), (3, 1, 0.0), (3, 1, 5.0)])
def test_bad_input(asked):
    with pytest.raises(UserError):
        cannot_carry(*asked)
