"""How much paired differences vary from seed to seed, and how well so few seeds know it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlpbench.results.statistics.checked import EQUAL

__all__ = ["SeedSpread", "pooled_spread"]

_ROUGH = 2.0
"""Upper over lower end of an interval that is called rough: twice the spread needs four times the seeds."""


@dataclass(frozen=True)
class SeedSpread:
    """Standard deviation of the difference between a row and the baseline, over seeds; in the unit of the scores."""

    std: float
    """Pooled over rows (n - 1)."""
    low: float
    """Lower end of its interval (chi-square)."""
    high: float
    """Upper end."""
    degrees: float
    """Degrees of freedom of that interval."""
    least: float
    """Of the row whose differences vary least."""
    most: float
    """Of the row whose differences vary most."""
    rows: int
    """R, rows that went into it."""
    seeds: int
    """S, most seeds of any of them."""

    @property
    def is_rough(self) -> bool:
        """Whether the upper end is at least twice the lower one."""
        return self.high >= _ROUGH * self.low


def pooled_spread(differences: Sequence[NDArray[np.float64]], level: float = 0.95) -> SeedSpread | None:
    """From each row's paired differences (S); None where no row has two, or all vary by rounding alone.

    All rows are held against the same baseline, whose own chance they share: differences of two rows correlate by a
    half, their variances by a quarter, so that R rows of n - 1 degrees are worth R (n - 1) / (1 + (R - 1) / 4).
    """
    from scipy.special import chdtri

    there = [one for one in differences if len(one) > 1]
    if not there:
        return None
    variances = np.array([one.var(ddof=1) for one in there])
    own = np.array([len(one) - 1 for one in there], dtype=np.float64)
    degrees = float(own.sum()) / (1 + (len(there) - 1) / 4)
    std = math.sqrt(float((own * variances).sum() / own.sum()))
    if std < EQUAL:
        return None
    low, high = (std * math.sqrt(degrees / float(chdtri(degrees, tail))) for tail in ((1 - level) / 2, (1 + level) / 2))
    return SeedSpread(
        std, low, high, degrees, math.sqrt(variances.min()), math.sqrt(variances.max()), len(there),
        max(len(one) for one in there),
    )
