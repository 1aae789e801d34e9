"""Whether rows rank as a published column ranks them: Kendall's tau and Spearman's rho."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from vlpbench.errors import UserError
from vlpbench.results.statistics.checked import Array, fraction, numbers
from vlpbench.results.statistics.finding import Target

__all__ = ["RankAgreement", "rank_correlation"]

EXACT = 7
"""Rows up to which all their orders are tried (5,040)."""


@dataclass(frozen=True)
class RankAgreement:
    """Rank correlation of a published column with our mean over seeds. -1 to 1; NaN where a column is constant."""

    tau: float
    """Kendall's tau-b."""
    tau_low: float
    """Lower end of its interval; NaN where none can be had."""
    tau_high: float
    """Upper end."""
    tau_p: float
    """Two-sided, of no association over these rows' orders."""
    rho: float
    """Spearman's rho."""
    rho_low: float
    """Lower end of its interval."""
    rho_high: float
    """Upper end."""
    rho_p: float
    """Two-sided, of no association."""
    rows: int
    """R."""
    n: int
    """Seeds."""
    method: str
    """How interval and p were had."""
    level: float = 0.95
    """Of the intervals."""
    target: Target = "seeds"
    """What the intervals are about: new seeds, these rows."""
    note: str = ""
    """A sentence: what it cannot carry."""


def rank_correlation(ours: ArrayLike, published: ArrayLike, level: float = 0.95) -> RankAgreement:
    """Agreement of our scores (S, R) of paired seeds with published ones (R), at least 3 rows.

    The intervals are for the rank correlation that our mean would have over no end of seeds: jackknife over seeds (a
    seed's scores of all rows together), t with S - 1 degrees, cut at -1 and 1.
    """
    scores, column = np.asarray(ours, dtype=np.float64), numbers(published, "published scores", least=3)
    if scores.ndim != 2 or scores.shape[1] != len(column) or not len(scores):
        raise UserError(f"our scores have shape {scores.shape}, not seeds x {len(column)} rows")
    numbers(scores.ravel(), "scores")
    fraction(level, "level")
    S, R = scores.shape
    mean = scores.mean(0)
    tau, rho = (float(one(mean[None], column)[0]) for one in (_tau, _rho))
    ends = [_jackknife(one, scores, column, level) for one in (_tau, _rho)]
    ps = _exact(mean, column) if R <= EXACT else _large(mean, column)
    how = "all orders" if R <= EXACT else "scipy"
    return RankAgreement(
        tau, *ends[0], ps[0], rho, *ends[1], ps[1], R, S,
        f"jackknife over {S} seeds, t; p over {how}" if S > 1 else f"one seed; p over {how}", level, note=_note(S, tau),
    )


def _note(seeds: int, tau: float) -> str:
    if math.isnan(tau):
        return "one of the columns is constant: nothing to rank"
    return "one seed: no interval" if seeds < 2 else ""


def _tau(columns: Array, other: Array) -> Array:
    """Tau-b of each of N columns (N, R) with another (R)."""
    first, second = np.triu_indices(len(other), 1)
    a, b = np.sign(columns[:, first] - columns[:, second]), np.sign(other[first] - other[second])
    norm = np.sqrt((a**2).sum(1) * (b**2).sum())
    return np.where(norm > 0, a @ b / np.where(norm > 0, norm, 1), np.nan)


def _rho(columns: Array, other: Array) -> Array:
    """Spearman's rho, ties at their mean rank."""
    from scipy.stats import rankdata

    a, b = rankdata(columns, axis=1), rankdata(other)
    a, b = a - a.mean(1, keepdims=True), b - b.mean()
    norm = np.sqrt((a**2).sum(1) * (b**2).sum())
    return np.where(norm > 0, a @ b / np.where(norm > 0, norm, 1), np.nan)


def _jackknife(statistic: Callable[[Array, Array], Array], scores: Array, column: Array, level: float) -> tuple[float, float]:
    from scipy.special import stdtrit

    S = len(scores)
    if S < 2:
        return math.nan, math.nan
    seen = float(statistic(scores.mean(0)[None], column)[0])
    without = statistic((scores.sum(0) - scores) / (S - 1), column)
    error = math.sqrt((S - 1) / S * float(((without - without.mean()) ** 2).sum()))
    half = float(stdtrit(S - 1, (1 + level) / 2)) * error
    return max(-1.0, seen - half), min(1.0, seen + half)


def _exact(mean: Array, column: Array) -> tuple[float, float]:
    """p of tau and rho over all orders of the rows."""
    orders = mean[np.array(list(permutations(range(len(column)))))]
    found = [one(orders, column) for one in (_tau, _rho)]
    tau, rho = (float((np.abs(one) >= abs(one[0]) - 1e-9).mean()) if np.isfinite(one[0]) else math.nan for one in found)
    return tau, rho


def _large(mean: Array, column: Array) -> tuple[float, float]:
    from scipy.stats import kendalltau, spearmanr

    if np.ptp(mean) == 0 or np.ptp(column) == 0:
        return math.nan, math.nan
    return float(kendalltau(mean, column).pvalue), float(spearmanr(mean, column).pvalue)
