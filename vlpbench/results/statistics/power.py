"""How many seeds and how many test examples a gap needs, from the spread that was seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from vlpbench.errors import UserError
from vlpbench.results.statistics.checked import fraction
from vlpbench.results.statistics.components import Components

__all__ = ["examples_needed", "power_of", "seeds_needed", "smallest_gap"]

MOST_IMAGES = 100_000_000
"""Above which more images are no answer."""
STEPS = 4000
"""Of z from -9 to 9, where a power is a sum over it: good to six digits."""


def power_of(gap: float, std: float, seeds: int, alpha: float = 0.05) -> float:
    """How likely a two-sided paired t test over so many seeds finds a gap; `std` is that of paired differences.

    0 with one seed, which has no test; 1 were there truly no spread, unless the gap is 0 too.
    """
    fraction(alpha, "alpha")
    _spread(std)
    _gap(gap)
    if seeds < 2:
        return 0.0
    if std == 0:
        return 1.0 if gap else alpha
    return _power(abs(gap) * math.sqrt(seeds) / std, seeds - 1, alpha)


def seeds_needed(gap: float, std: float, alpha: float = 0.05, power: float = 0.8, most: int = 1000) -> int | None:
    """The fewest paired seeds whose t test finds the gap with this power; None if more than `most` are needed."""
    fraction(power, "power")
    if power_of(gap, std, most, alpha) < power:
        return None
    low, high = 1, most  # low is too few, high is enough: power grows with seeds
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(gap, std, middle, alpha) >= power else (middle, high)
    return high


def smallest_gap(seeds: int, std: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The least gap that a paired t test over so many seeds finds with this power; infinite with one seed."""
    from scipy.optimize import brentq

    _spread(std)
    fraction(power, "power")
    if seeds < 2:
        return math.inf
    if std == 0 or power <= alpha:
        return 0.0
    high = 1.0
    while power_of(high, 1.0, seeds, alpha) < power:
        high *= 2
    return std * float(brentq(lambda gap: power_of(gap, 1.0, seeds, alpha) - power, 0.0, high))


def examples_needed(
    gap: float,
    spread: Components,
    seeds: int,
    target: Literal["examples", "seeds and examples"] = "examples",
    alpha: float = 0.05,
    power: float = 0.8,
) -> int | None:
    """The fewest test images with which a gap is found; None where no number of them is enough, or above 100 million.

    Seeds of each row as given. About these very models, images alone have to tell the gap from chance. About new seeds
    too, the seeds' own variance stays however many images there are: None where it alone hides the gap.
    """
    fraction(power, "power")
    fraction(alpha, "alpha")
    _gap(gap)
    if target == "examples":
        variance = max(0.0, spread.image) + spread.interaction / seeds
        return _fewest(lambda images: _power_of_both(gap, 0.0, variance / images, 1, alpha), power)
    if spread.seeds < 2:
        raise UserError("one seed does not tell how much seeds vary", "", "give at least two seeds of each row")
    if seeds < 2:
        return None
    own = max(0.0, spread.seed)
    if power_of(gap, math.sqrt(own), seeds, alpha) < power:
        return None
    return _fewest(
        lambda images: _power_of_both(
            gap, own / seeds + spread.interaction / (seeds * images), max(0.0, spread.image) / images, seeds - 1, alpha
        ),
        power,
    )


def _fewest(power_with: Callable[[int], float], power: float) -> int | None:
    """The least number of images, from 2 on, that gives the power."""
    low, high = 1, MOST_IMAGES
    if power_with(high) < power:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_with(middle) >= power else (middle, high)
    return high


def _power_of_both(gap: float, of_seeds: float, of_images: float, few: int, alpha: float) -> float:
    """Of the interval for new seeds and examples, whose quantile lies between z and t (see both.py)."""
    from scipy.special import ndtri, stdtrit

    whole = of_seeds + of_images
    if whole <= 0:
        return 1.0 if gap else alpha
    ratio = of_seeds / whole
    t, z = stdtrit(few, alpha / 2), ndtri(alpha / 2)
    critical = math.sqrt(max(z**2 + (t**2 - z**2) * ratio**2, t**2 * ratio))
    return _beyond(abs(gap) / math.sqrt(whole), min(1e6, few / max(ratio, 1e-3) ** 2), critical)


def _power(shift: float, degrees: float, alpha: float) -> float:
    from scipy.special import stdtrit

    return _beyond(shift, degrees, -float(stdtrit(degrees, alpha / 2)))


def _beyond(shift: float, degrees: float, critical: float) -> float:
    """How likely (z + shift) / s lies beyond the critical value, to either side: s^2 is a chi square over its degrees.

    The noncentral t, summed over z; scipy's own is NaN at some of the arguments that matter here.
    """
    from scipy.special import chdtr

    found = 0.0
    for side in (shift, -shift):
        start = max(-9.0, -side)
        width = max(0.0, 9.0 - start) / STEPS
        z = start + (np.arange(STEPS) + 0.5) * width
        density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        found += width * float(density @ chdtr(degrees, degrees * ((side + z) / critical) ** 2))
    return min(1.0, found)


def _gap(gap: float) -> None:
    if not math.isfinite(gap):
        raise UserError(f"a gap of {gap!r}", "", "give a number in the unit of the scores")


def _spread(std: float) -> None:
    if not 0 <= std < math.inf:
        raise UserError(f"a standard deviation of {std!r}", "", "take it from at least two paired seeds")
