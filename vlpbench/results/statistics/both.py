"""What a recipe scores over new seeds and new test examples: both vary, and the interval has room for both.

d[s, i] = mean + seed + image + (seed on image). The variance of the estimate is A + B: A is the variance of the seeds'
differences over S, B is what images add of their own (the variance of the images' differences over I, less what it
shares with A). Drawing seeds and images anew, both, and removing what is counted twice, converges to the same (Owen
2007, "The pigeonhole bootstrap"). A is known from S - 1 degrees of freedom, B from many, so neither a normal nor a t
quantile fits: with r = A / (A + B) the interval reaches sqrt(A + B) times c, c^2 = z^2 + (t^2 - z^2) r^2, which is
right where one of the two is all there is, and has the r^2 of Welch's (1947) series in between; but never less far than
that for seeds alone, t sqrt(A). By quadrature it covers 94.7 to 95.7% from three seeds on, whatever A and B are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from numpy.typing import ArrayLike

from vlpbench.results.statistics.checked import EQUAL, fraction
from vlpbench.results.statistics.components import Components, components
from vlpbench.results.statistics.finding import Finding, Target

__all__ = ["paired_over_both"]


def paired_over_both(sums_a: ArrayLike, sums_b: ArrayLike, counts: ArrayLike, level: float = 0.95) -> Finding:
    """Difference a - b of points an example, from sums (S, I) and examples an image (I); p inverts the interval.

    One seed has neither interval nor p. Two seeds have both, with a note on how far they can be trusted.
    """
    found, level = components(sums_a, sums_b, counts), fraction(level, "level")
    S, images = found.seeds, found.images
    if S < 2:
        return Finding(found.estimate, math.nan, math.nan, math.nan, S, _TARGET, "one seed", level, _ALONE)
    method = f"seeds and images crossed, {S} x {images:,}, t-corrected"
    of_seeds, of_images = _variances(found)
    if math.sqrt(of_seeds + of_images) < EQUAL:
        p = 1.0 if abs(found.estimate) < EQUAL else math.nan
        return Finding(found.estimate, math.nan, math.nan, p, S, _TARGET, method, level, _NO_SPREAD)
    reach = _reach(of_seeds, of_images, S - 1, images - 1)
    half = reach(1 - level)
    return Finding(
        found.estimate, found.estimate - half, found.estimate + half, _inverted(reach, abs(found.estimate)), S,
        _TARGET, method, level, _note(found, half, level),
    )


_TARGET: Target = "seeds and examples"
_ALONE = "one seed has no spread: what other seeds would do is not known"
_NO_SPREAD = "seeds came out alike, and images add nothing that chance does not: no spread to go by"


def _variances(found: Components) -> tuple[float, float]:
    """Of the estimate: what seeds make (with what they do to single images), and what images add."""
    seeds, images = found.seeds, found.images
    of_seeds = found.seed / seeds + found.interaction / (seeds * images)
    return max(0.0, of_seeds), max(0.0, found.image / images)


def _reach(of_seeds: float, of_images: float, few: int, many: int) -> Callable[[float], float]:
    """Half the interval's width as a function of the share (two-sided) that it leaves out."""
    from scipy.special import stdtrit

    whole = of_seeds + of_images
    ratio = of_seeds / whole

    def reach(left_out: float) -> float:
        t, z = stdtrit(few, left_out / 2), stdtrit(many, left_out / 2)
        return math.sqrt(max(whole * (z**2 + (t**2 - z**2) * ratio**2), of_seeds * t**2))

    return reach


def _inverted(reach: Callable[[float], float], distance: float) -> float:
    """The share left out by the interval that just reaches so far."""
    from scipy.optimize import brentq

    least = -300.0
    if distance < EQUAL * reach(0.5):
        return 1.0
    if reach(math.exp(least)) <= distance:
        return 0.0
    return math.exp(brentq(lambda power: reach(math.exp(power)) - distance, least, 0.0))


def _note(found: Components, half: float, level: float) -> str:
    from scipy.special import stdtrit

    said = ["two seeds: a 95% interval covers 94 to 99%, by which source varies more"] if found.seeds == 2 else []
    of_images = max(0.0, found.image / found.images) + found.interaction / (found.seeds * found.images)
    if half < -stdtrit(found.images - 1, (1 - level) / 2) * math.sqrt(of_images):
        said.append("seeds came out closer than images alone let them: narrower than for these very models")
    of_seeds, of_images = _variances(found)
    if found.few and of_images > of_seeds:
        said.append(found.few)
    return "; ".join(said)
