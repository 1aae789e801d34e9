"""Axes over powers of ten with plain numbers at their marks (no mathematics is typeset in a plot)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["marks", "plain", "set_plain_log", "spans"]

_STEPS: tuple[tuple[float, ...], ...] = ((1, 1.5, 2, 3, 4, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))
"""Marks within a power of ten, finest first."""


def spans(low: float, high: float, ratio: float) -> bool:
    """Whether numbers are positive and so far apart that powers of ten show them better."""
    return low > 0 and math.isfinite(high) and high / low >= ratio


def marks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, as many as there can be up to `most`; two or more, or none."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in _STEPS:
        found = [step * 10.0**power for power in powers for step in steps]
        inside = [one for one in found if low * 0.999 <= one <= high * 1.001]
        if len(inside) <= most:
            return inside if len(inside) > 1 else []
    every = math.ceil(len(inside) / most)
    return inside[::every]


def plain(value: float) -> str:
    """A round number as people write it: 0.05, 20, 3k, 1.5M."""
    for unit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.4g}{letter}"
    return f"{value:.4g}"


def set_plain_log(axes: Axes, which: Literal["x", "y"], low: float, high: float, zero: float = 0.0) -> None:
    """Make an axis logarithmic over `low` to `high` with some air, marked with plain numbers.

    Where `zero` is above 0 it is the place, left of all others, at which nothing (0) is drawn.
    """
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    air = (high / low) ** 0.05
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    (axes.set_ylim if which == "y" else axes.set_xlim)((zero or low) / air, high * air)
    places = marks(low / air, high * air)
    axis.set_major_locator(FixedLocator([*([zero] if zero else []), *places]))
    axis.set_major_formatter(FixedFormatter([*(["0"] if zero else []), *map(plain, places)]))
    axis.set_minor_locator(NullLocator())
