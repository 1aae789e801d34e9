"""Whether rows rank as a published column ranks them: Kendall's tau and Spearman's rho."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from numpy.typing import ArrayLike

from vlpbench.errors import UserError
from vlpbench.results.statistics.checked import Array, fraction, numbers
from vlpbench.results.statistics.finding import Target
from vlpbench.results.statistics.holm import holm
from vlpbench.results.statistics.seeds import paired_over_seeds

__all__ = ["RankAgreement", "rank_correlation"]

EXACT = 7
"""Rows up to which all their orders are tried (5,040)."""
ORDERS = 20_000
"""Of more rows, orders drawn at random: p is never below 1 in 20,001."""


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

    The intervals are about the order of the rows' expected scores over new seeds. A pair of rows is settled where its
    paired t test is significant under Holm over all pairs; all orders that keep the settled pairs are possible, and
    the intervals run from the worst of them to the best: they miss only if a pair is settled the wrong way, so they
    cover at least the level (were each pair tested alone, 26 to 90% with 12 rows that are close and rank as published).
    Noise makes the mean's own correlation smaller than that of the expected scores, which resampling seeds makes
    worse still (it covers 20 to 95%).
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
    tau_p, rho_p = _exact(mean, column) if R <= EXACT else _drawn(mean, column)
    how = "p over all orders" if R <= EXACT else f"p over {ORDERS:,} random orders"
    pairs = f"pairs settled by paired t over {S} seeds, Holm over {R * (R - 1) // 2} pairs"
    method = f"{pairs}; {how}" if S > 1 else f"one seed; {how}"
    return RankAgreement(
        tau, min(tau_ends[0], tau), max(tau_ends[1], tau), tau_p,
        rho, min(rho_ends[0], rho), max(rho_ends[1], rho), rho_p, R, S, method, level, note=_note(S, tau),
    )


def _note(seeds: int, tau: float) -> str:
    if math.isnan(tau):
        return "one of the columns is constant: nothing to rank"
    if seeds < 2:
        return "one seed: no interval"
    return "the interval is cautious: in simulations 95% means 96 to 100%"


def _ends(scores: Array, column: Array, level: float) -> list[tuple[float, float]]:
    """Least and greatest tau and rho over the orders that keep every settled pair."""
    settled = _settled(scores, level)
    return [_tau_ends(settled, column), _rho_ends(settled, column)]


def _settled(scores: Array, level: float) -> Array:
    """R, R: 1 where the row is above the other, -1 where below, 0 where seeds don't tell."""
    R = scores.shape[1]
    settled = np.zeros((R, R))
    pairs = list(combinations(range(R), 2))
    found = [paired_over_seeds(scores[:, one] - scores[:, other], level) for one, other in pairs]
    for (one, other), finding, p in zip(pairs, found, holm([finding.p for finding in found]), strict=True):
        if p < 1 - level:
            settled[one, other] = math.copysign(1, finding.estimate)
            settled[other, one] = -settled[one, other]
    return settled


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


def _drawn(mean: Array, column: Array) -> tuple[float, float]:
    """The same over random orders, the one seen counted among them."""
    seen = np.array([one(mean[None], column)[0] for one in (_tau, _rho)])
    if not np.isfinite(seen).all():
        return math.nan, math.nan
    rng, far, at_once = np.random.default_rng(0), np.ones(2), max(1, 1_000_000 // len(mean) ** 2)
    for start in range(0, ORDERS, at_once):
        orders = rng.permuted(np.tile(mean, (min(at_once, ORDERS - start), 1)), axis=1)
        found = np.abs([one(orders, column) for one in (_tau, _rho)])
        far += (found >= np.abs(seen)[:, None] - 1e-9).sum(1)
    tau, rho = far / (ORDERS + 1)
    return float(tau), float(rho)
