"""How often one row beats another: the probability of improvement, over paired seeds or over all pairs of runs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vlpbench.results.statistics.checked import EQUAL, fraction, numbers

__all__ = ["Improvement", "probability_of_improvement", "probability_over_pairs"]


class Improvement(NamedTuple):
    """A share between 0 and 1 with its interval."""

    share: float
    """Of the pairs in which the first is better, a tie being half."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end."""


def probability_of_improvement(differences: ArrayLike, level: float = 0.95) -> Improvement:
    """Share of paired seeds whose difference is above 0, with Clopper and Pearson's exact interval.

    About new seeds on this test set (Bouthillier et al. 2021, arXiv 2103.03098, decide by it). A tie counts as half a
    success, for which the interval's beta quantiles are read between those of whole numbers. Where a lower score is
    better, give the differences with their signs turned.
    """
    from scipy.special import betaincinv

    pairs, tail = numbers(differences, "differences"), (1 - fraction(level, "level")) / 2
    n, better = len(pairs), _better(pairs)
    low = float(betaincinv(better, n - better + 1, tail)) if better > 0 else 0.0
    high = float(betaincinv(better + 1, n - better, 1 - tail)) if better < n else 1.0
    return Improvement(better / n, low, high)


def probability_over_pairs(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Improvement:
    """Share of all pairs (one run of each) in which a's is better: Mann and Whitney's U over n m.

    For rows whose seeds aren't paired (Agarwal et al. 2021, arXiv 2108.13264). The interval holds every share theta
    whose distance from the one seen is within t standard errors, as they would be at theta (Newcombe 2006, method 5,
    with t of n + m - 2 degrees in place of z, which covers 88% at three runs each; this one covers 96 to 100%).
    """
    from scipy.special import stdtrit

    ours, theirs = numbers(a, "scores"), numbers(b, "scores")
    fraction(level, "level")
    t = float(stdtrit(max(1, len(ours) + len(theirs) - 2), (1 + level) / 2))
    share = _better(np.subtract.outer(ours, theirs).ravel()) / (len(ours) * len(theirs))
    ends = [_end(share, side, t, len(ours), len(theirs)) for side in (0.0, 1.0)]
    return Improvement(share, *ends)


def _better(differences: np.ndarray) -> float:
    return float((differences > EQUAL).sum() + 0.5 * (np.abs(differences) <= EQUAL).sum())


def _end(share: float, side: float, t: float, n: int, m: int) -> float:
    """The share between `share` and `side` that is t of its own standard errors from `share`."""
    from scipy.optimize import brentq

    def beyond(theta: float) -> float:
        more = (n + m) / 2 - 1
        spread = 1 + more * (1 - theta) / (2 - theta) + more * theta / (1 + theta)
        return abs(theta - share) - t * math.sqrt(theta * (1 - theta) * spread / (n * m))

    if abs(share - side) == 0:
        return side
    inner = share + (side - share) * 1e-9
    return float(brentq(beyond, inner, side)) if beyond(inner) < 0 else side
