"""The rule: what an interval says of a published difference. It is fixed here, before any number is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["VERDICTS", "Verdict", "is_within", "verdict"]

Verdict = Literal["reproduced", "opposite", "not shown", "no sign", "no interval"]

VERDICTS: Mapping[Verdict, str] = {
    "reproduced": "our interval leaves out zero, on the published side",
    "opposite": "our interval leaves out zero, on the other side",
    "not shown": "our interval has zero in it",
    "no sign": "the published numbers are equal",
    "no interval": "fewer than two paired seeds, or seeds that do not vary",
}
"""Each verdict with what it means."""


def verdict(published: float, low: float, high: float) -> Verdict:
    """What our interval of a difference says of the published one; an end at zero has zero in it."""
    if low != low or high != high:
        return "no interval"
    if not published:
        return "no sign"
    if low <= 0 <= high:
        return "not shown"
    return "reproduced" if (low > 0) == (published > 0) else "opposite"


def is_within(margin: float | None, low: float, high: float) -> bool:
    """Whether the whole interval lies between minus the margin and the margin, both taken in.

    Two one-sided tests at half of alpha each: a difference as large as the margin is ruled out. It says nothing of the
    sign, so that it can be so of any verdict.
    """
    return margin is not None and -margin <= low <= high <= margin
