"""What statistics are made of, checked: finite numbers of shapes that belong together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError

__all__ = ["EQUAL", "Array", "fraction", "numbers", "paired_images"]

Array = NDArray[np.float64]

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
