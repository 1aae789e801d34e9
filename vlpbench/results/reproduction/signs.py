"""How many published signs our differences have, and how often coins would have as many."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vlpbench.errors import UserError
from vlpbench.results.reproduction.verdict import Verdict

__all__ = ["Signs", "at_least", "counted_signs"]


@dataclass(frozen=True)
class Signs:
    """Counts of comparisons."""

    published: int
    """With a published sign: k."""
    had: int
    """Those of them that have a difference of ours."""
    same: int
    """Whose mean difference has the published sign."""
    certain: int
    """That are reproduced: the interval leaves out zero on that side."""
    opposite: int
    """Whose interval leaves out zero on the other side."""
    chance: float
    """Of at least so many the same among those had, were each sign a coin of its own; 1 where there are none."""


def counted_signs(rows: Iterable[tuple[float, float, Verdict]]) -> Signs:
    """From (published difference, our mean difference or NaN, verdict) of each comparison; ours of 0 has no sign."""
    signed = [one for one in rows if one[0]]
    had = [one for one in signed if one[1] == one[1]]
    same = sum(published * ours > 0 for published, ours, _ in had)
    verdicts = [said for _, _, said in signed]
    return Signs(
        len(signed), len(had), same, verdicts.count("reproduced"), verdicts.count("opposite"), at_least(same, len(had))
    )


def at_least(heads: int, tosses: int) -> float:
    """How likely so many fair tosses show at least so many heads, exactly."""
    if not 0 <= heads <= tosses:
        raise UserError(f"{heads} heads of {tosses} tosses", "", "give 0 to as many as there are tosses")
    return sum(math.comb(tosses, many) for many in range(heads, tosses + 1)) / float(2**tosses)
