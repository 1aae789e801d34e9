"""What statistics are made of, checked: finite numbers of shapes that belong together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError

__all__ = ["EQUAL", "Array", "carried_by_few", "fraction", "numbers", "paired_images"]

Array = NDArray[np.float64]

ENOUGH = 10.0
"""Images of equal weight that a mean must be worth to be about normal."""

EQUAL = 1e-10
"""Numbers that differ by less are one number: scores are about 0.01 to 100, and rounding leaves 1e-14 of them."""


def numbers(values: ArrayLike, what: str, least: int = 1) -> Array:
    """A flat array of at least so many finite numbers; UserError says what is wrong with `what`."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise UserError(f"{what} have {found.ndim} axes, not one", "", "give one number a seed")
    if len(found) < least:
        raise UserError(f"{len(found)} {what}: at least {least} are needed")
    _finite(found, what)
    return found


def paired_images(sums_a: ArrayLike, sums_b: ArrayLike, counts: ArrayLike) -> tuple[Array, Array]:
    """Differences (S, I) of sums over the examples of an image, and examples an image (I, all above 0)."""
    a, b = (np.asarray(sums, dtype=np.float64) for sums in (sums_a, sums_b))
    weights = numbers(counts, "counts of examples an image", least=2)
    wanted = f"both sides need one shape: seeds x {len(weights)} images"
    if a.ndim != 2 or a.shape != b.shape or a.shape[1] != len(weights) or not len(a):
        raise UserError(f"sums of shapes {a.shape} and {b.shape} are no pairs", "", wanted)
    _finite(a, "sums of the first row")
    _finite(b, "sums of the second row")
    if (weights <= 0).any():
        raise UserError(f"{int((weights <= 0).sum())} images have no examples", "", "leave them out")
    return a - b, weights


def carried_by_few(parts: Array) -> str:
    """A sentence where a few images (I: their parts in a difference, of mean 0) make most of its variance, else "".

    As many images as would, were they equal, are counted: the squared sum of squares over the sum of fourth powers.
    Of normal parts that is a third of the images, of heavy tails or unequal numbers of questions far fewer. Simulated
    where it is mostly below 10, 95% covers 92 to 98%; above, 94 to 97%.
    """
    squares = parts**2
    fourth = float((squares**2).sum())
    equal = float(squares.sum()) ** 2 / fourth if fourth else math.inf
    if equal >= ENOUGH:
        return ""
    return f"few images carry the difference (it varies as of {equal:.0f} equal ones): a 95% interval covers 92 to 98%"


def fraction(value: float, what: str) -> float:
    """A number between 0 and 1, both left out."""
    if not 0 < value < 1:
        raise UserError(f"{what} is {value!r}", "", "it lies between 0 and 1, such as 0.05 or 0.95")
    return value


def _finite(values: Array, what: str) -> None:
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise UserError(
            f"{bad} of {values.size} {what} are NaN or infinite", "", "keep the seeds and images that all rows have"
        )
