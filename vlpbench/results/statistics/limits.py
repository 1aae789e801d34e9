"""Claims that so many seeds cannot carry, in sentences."""

from __future__ import annotations

import math

from vlpbench.errors import UserError
from vlpbench.results.statistics.checked import fraction
from vlpbench.results.statistics.sign_flip import smallest_p

__all__ = ["cannot_carry", "seeds_for_sign_flip"]


def seeds_for_sign_flip(comparisons: int, alpha: float = 0.05) -> int:
    """The fewest seeds whose smallest sign-flip p, times the comparisons, is below alpha."""
    _counted(comparisons)
    fraction(alpha, "alpha")
    seeds = max(1, math.floor(math.log2(2 * comparisons / alpha)))
    while smallest_p(seeds) * comparisons >= alpha:
        seeds += 1
    return seeds


def cannot_carry(seeds: int, comparisons: int, alpha: float = 0.05) -> list[str]:
    """What so many seeds can never show in a table of so many comparisons, whatever the numbers; [] if nothing."""
    from scipy.special import stdtrit

    _counted(comparisons)
    if seeds < 1:
        raise UserError(f"{seeds} seeds", "", "a claim needs at least one")
    if seeds == 1:
        return ["1 seed has no spread: it shows what this run scored, and nothing about the recipe over new seeds"]
    said, needed = [], seeds_for_sign_flip(comparisons, alpha)
    if seeds < needed:
        over = f" under Holm over {comparisons} comparisons" if comparisons > 1 else ""
        said.append(
            f"{seeds} seeds can never pass an exact sign-flip test{over} (smallest p {smallest_p(seeds):.2g}, "
            f"needed {alpha / comparisons:.2g}); {needed} can"
        )
    if seeds == 2:
        reach = float(stdtrit(1, 1 - alpha / 2)) / math.sqrt(2)
        said.append(
            f"2 seeds leave one degree of freedom: a {100 * (1 - alpha):.6g}% t interval reaches {reach:.2g} standard "
            "deviations to each side"
        )
    return said


def _counted(comparisons: int) -> None:
    if comparisons < 1:
        raise UserError(f"{comparisons} comparisons", "", "a table compares at least one pair of rows")
