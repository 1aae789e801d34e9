"""What these very models would score on new test examples: images resampled, or the answers they don't share counted.

Examples of one image belong together (five captions, several questions), so whole images are drawn. A score is a ratio,
points over examples, and stays one in each resample. Seeds are averaged first: they are given, not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from vlpbench.errors import UserError
from vlpbench.results.statistics.checked import EQUAL, Array, carried_by_few, fraction, paired_images
from vlpbench.results.statistics.finding import Finding

__all__ = ["mcnemar", "paired_bootstrap"]

AT_ONCE = 2_000_000
"""Drawn images held in memory at a time: about 60 MB."""
FEW = 10
"""Images on which two rows differ, below which an interval can't be relied on."""


def paired_bootstrap(
    sums_a: ArrayLike,
    sums_b: ArrayLike,
    counts: ArrayLike,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Finding:
    """Difference a - b of points an example, from sums (S, I) and examples an image (I); one seed is enough.

    The symmetric studentised bootstrap (Hall 1988): each resample's distance from the difference that was seen is
    divided by the resample's own standard error, and the interval reaches as many standard errors to each side as 95%
    of the resamples stay within. p is the share of resamples as far out as the difference is from 0 (itself counted),
    so it is below 1 - level just where the interval leaves 0 out. There is no interval of a level so high that no p of
    so many resamples is below 1 - level.
    """
    differences, weights = paired_images(sums_a, sums_b, counts)
    level = fraction(level, "level")
    if resamples < 100:
        raise UserError(f"{resamples} resamples", "", "take at least 100; 10,000 is usual")
    S, images = differences.shape
    by_image, share = differences.mean(0), weights / weights.mean()
    estimate = float(by_image.sum() / weights.sum())
    method = f"paired bootstrap over {images:,} images, {resamples:,} resamples"
    differ = int((np.abs(by_image) > EQUAL).sum())
    if not differ:
        return Finding(0.0, math.nan, math.nan, 1.0, S, "examples", method, level, "both score alike on every image")
    parts = (by_image - estimate * weights) / weights.mean()
    error = math.sqrt(float((parts**2).sum()) / (images * (images - 1)))
    if error < EQUAL:
        note = "the difference is the same on all images: no spread to test it against"
        return Finding(estimate, math.nan, math.nan, math.nan, S, "examples", method, level, note)
    far = np.sort(np.concatenate([*_distances(parts, share, resamples, seed)]))
    within = math.floor(level * (resamples + 1) + 1e-9)  # all but so few that p is below 1 - level
    wide = float(far[within]) * error if within < resamples else math.inf
    p = float(1 + (far >= abs(estimate) / error * (1 - 1e-12)).sum()) / (1 + resamples)
    few = f"the rows differ on {differ} of {images:,} images alone: too few to rely on"
    said = [few] if differ < FEW else list(filter(None, [carried_by_few(parts)]))
    said += [f"{resamples:,} resamples are too few for {level:.6g}"] if within >= resamples else []
    low, high = (estimate - wide, estimate + wide) if math.isfinite(wide) else (math.nan, math.nan)
    return Finding(estimate, low, high, p, S, "examples", method, level, "; ".join(said))


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p that two models are right equally often, from the examples that one alone got right.

    For one run of each and examples that don't share images; the binomial test of `only_a` among both.
    """
    from scipy.special import bdtr

    if min(only_a, only_b) < 0 or only_a != int(only_a) or only_b != int(only_b):
        raise UserError(f"{only_a} and {only_b} are no counts of examples")
    if only_a + only_b == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def _distances(parts: Array, share: Array, resamples: int, seed: int) -> Iterator[Array]:
    """Of each resample, how many of its own standard errors it lies from what was seen; infinite where it has none.

    `parts` (I) are the images' parts in the difference, of mean 0; `share` (I) their examples over the mean number.
    """
    rng, images = np.random.default_rng(seed), len(parts)
    moments = np.stack([parts, share, parts**2, parts * share, share**2], axis=1)
    rows = max(1, AT_ONCE // images)
    for start in range(0, resamples, rows):
        n = min(rows, resamples - start)
        drawn = rng.integers(0, images, (n, images), dtype=np.int32) + np.arange(n, dtype=np.int32)[:, None] * images
        times = np.bincount(drawn.ravel(), minlength=n * images).reshape(n, images).astype(np.float64)
        part, shares, squares, products, share_squares = (times @ moments).T
        off = part / shares
        spread = np.maximum(squares - 2 * off * products + off**2 * share_squares, 0) * images / (images - 1)
        error = np.sqrt(spread) / shares
        has_one = error > EQUAL
        yield np.where(has_one, np.abs(off) / np.where(has_one, error, 1), np.where(np.abs(off) > EQUAL, np.inf, 0.0))
