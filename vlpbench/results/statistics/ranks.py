"""Whether rows rank as a published column ranks them: Kendall's tau and Spearman's rho."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from vlpbench.errors import UserError
from vlpbench.results.statistics.checked import EQUAL, Array, fraction, numbers
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

    The intervals are about the order of the rows' expected scores over new seeds. A pair of rows is settled where the
    paired t interval of its difference leaves 0 out; all orders that keep the settled pairs are possible, and the
    intervals run from the worst of them to the best. Noise makes the mean's own correlation smaller than that of the
    expected scores, which resampling seeds makes worse still (it covers 20 to 95%); these cover at least the level.
    """
    scores, column = np.asarray(ours, dtype=np.float64), numbers(published, "published scores", least=3)
    if scores.ndim != 2 or scores.shape[1] != len(column) or not len(scores):
        raise UserError(f"our scores have shape {scores.shape}, not seeds x {len(column)} rows")
    numbers(scores.ravel(), "scores")
    fraction(level, "level")
    S, R = scores.shape
    mean = scores.mean(0).round(9)  # means that are equal but for rounding tie
    tau, rho = (float(one(mean[None], column)[0]) for one in (_tau, _rho))
    tau_ends, rho_ends = _ends(scores, column, level) if S > 1 and math.isfinite(tau) else [(math.nan, math.nan)] * 2
    tau_p, rho_p = _exact(mean, column) if R <= EXACT else _large(mean, column)
    how = "p over all orders" if R <= EXACT else "p by scipy"
    method = f"pairs settled by paired t over {S} seeds; {how}" if S > 1 else f"one seed; {how}"
    return RankAgreement(
        tau, min(tau_ends[0], tau), max(tau_ends[1], tau), tau_p,
        rho, min(rho_ends[0], rho), max(rho_ends[1], rho), rho_p, R, S, method, level, note=_note(S, tau),
    )


def _note(seeds: int, tau: float) -> str:
    if math.isnan(tau):
        return "one of the columns is constant: nothing to rank"
    if seeds < 2:
        return "one seed: no interval"
    return "the interval is cautious: in simulations 95% means 97 to 100%"


def _ends(scores: Array, column: Array, level: float) -> list[tuple[float, float]]:
    """Least and greatest tau and rho over the orders that keep every settled pair."""
    settled = _settled(scores, level)
    return [_tau_ends(settled, column), _rho_ends(settled, column)]


def _settled(scores: Array, level: float) -> Array:
    """R, R: 1 where the row is above the other, -1 where below, 0 where seeds don't tell."""
    from scipy.special import stdtrit

    S = len(scores)
    differences = scores[:, :, None] - scores[:, None, :]
    mean = differences.mean(0)
    reach = stdtrit(S - 1, (1 + level) / 2) * differences.std(0, ddof=1) / math.sqrt(S)
    return np.where(np.abs(mean) > reach + EQUAL, np.sign(mean), 0.0)


def _tau_ends(settled: Array, column: Array) -> tuple[float, float]:
    first, second = np.triu_indices(len(column), 1)
    ours, other = settled[first, second], np.sign(column[first] - column[second])
    norm = math.sqrt(len(other) * float((other**2).sum()))
    agreed, open_ = float(ours @ other), float(((ours == 0) & (other != 0)).sum())
    return (agreed - open_) / norm, (agreed + open_) / norm


def _rho_ends(settled: Array, column: Array) -> tuple[float, float]:
    """A row's rank lies above the rows it beats and below those that beat it: ranks are dealt out within that."""
    from scipy.optimize import linear_sum_assignment
    from scipy.stats import rankdata

    R = len(column)
    ranks, published = np.arange(1.0, R + 1), rankdata(column)
    low, high = 1 + (settled > 0).sum(1), R - (settled < 0).sum(1)
    possible = (ranks >= low[:, None]) & (ranks <= high[:, None])
    gains = np.outer(published - published.mean(), ranks)
    ends = []
    for sign in (1, -1):
        rows, dealt = linear_sum_assignment(np.where(possible, sign * gains, R**4))
        norm = math.sqrt(R * (R**2 - 1) / 12 * float(((published - published.mean()) ** 2).sum()))
        ends.append(float(gains[rows, dealt].sum()) / norm)
    return ends[0], ends[1]


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
