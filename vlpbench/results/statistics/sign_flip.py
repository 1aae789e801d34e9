"""The exact sign-flip test: were the rows equal, every paired difference could as well have had the other sign.

It assumes that differences are symmetric about their mean and nothing else. With n seeds there are 2^n ways to put the
signs, so p is never below 2 / 2^n.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from vlpbench.errors import UserError
from vlpbench.results.statistics.checked import EQUAL, Array, numbers

__all__ = ["MOST", "sign_flip", "smallest_p"]

MOST = 40
"""Seeds up to which the test is exact: 2^20 sums of each half, in memory at once."""


def sign_flip(differences: ArrayLike) -> float:
    """Two-sided p of a mean of 0 over all ways to put the signs; NaN above 40 differences (t serves as well there).

    The ways are counted without listing them: the sums of one half of the differences are sorted, and for each sum of
    the other half it is looked up how many of them carry it as far as the sum that was seen. Sums that differ by
    rounding alone count as equal.
    """
    pairs = numbers(differences, "differences")
    if len(pairs) > MOST:
        return math.nan
    middle = len(pairs) // 2
    some, others = _sums(pairs[:middle]), np.sort(_sums(pairs[middle:]))
    seen = abs(float(pairs.sum())) - min(EQUAL, 1e-9 * float(np.abs(pairs).sum()))
    above = len(others) - np.searchsorted(others, seen - some, side="left")
    below = np.searchsorted(others, -seen - some, side="right")
    return min(1.0, float(above.sum() + below.sum()) / 2.0 ** len(pairs))


def smallest_p(seeds: int) -> float:
    """The least p that so many seeds can have: 2 / 2^S; 1 with one seed."""
    if seeds < 1:
        raise UserError(f"{seeds} seeds", "", "a test needs at least one")
    return 2.0 / 2.0**seeds


def _sums(values: Array) -> Array:
    """All 2^n sums of the values with either sign."""
    found = np.zeros(1)
    for one in values:
        found = np.concatenate([found - one, found + one])
    return found
