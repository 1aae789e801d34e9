"""Signs that are alike, and how often coins have as many."""

from __future__ import annotations

import itertools
import math

import pytest

from vlpbench.errors import UserError
from vlpbench.results.reproduction.signs import Signs, at_least, counted_signs


def test_counts():
    found = counted_signs([
        (-1.0, -2.0, "reproduced"), (-1.0, 2.0, "opposite"), (1.0, 0.5, "not shown"), (1.0, 0.0, "not shown"),
        (1.0, math.nan, "no interval"), (0.0, 5.0, "no sign"),
    ])
    assert found == Signs(published=5, had=4, same=2, certain=1, opposite=1, chance=11 / 16)


def test_nothing_had_is_no_surprise():
    assert counted_signs([]) == Signs(0, 0, 0, 0, 0, 1.0)


@pytest.mark.parametrize("tosses", range(7))
def test_coins_by_listing_all_throws(tosses):
    throws = list(itertools.product((0, 1), repeat=tosses))
    for heads in range(tosses + 1):
        assert at_least(heads, tosses) == sum(sum(one) >= heads for one in throws) / len(throws)


def test_more_heads_than_tosses_are_refused():
    with pytest.raises(UserError, match="3 heads of 2 tosses"):
        at_least(3, 2)
