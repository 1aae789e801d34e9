"""How strongly a probe is regularised: CLIP's search from coarse to fine (arXiv 2103.00020, appendix A.3).

The grid is 1e-6 to 1e6, eight values a decade: 97 values, 96 steps. Every second decade is tried first (7 values), then
the step around the best is halved until it is one of the grid's: at most 15 of 97 are tried.
What it promises: the value chosen is the best of all that were tried, the 7 coarse ones among them, and neither of its
two neighbours on the grid is better. Where the score rises to one peak and falls, that is the best of the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["COARSE", "STRENGTHS", "search"]

STRENGTHS = tuple(10.0 ** (exponent / 8) for exponent in range(-48, 49))
"""C of scikit-learn: the inverse of the strength, 1e-6 to 1e6."""
COARSE = 16
"""Places of the grid between two values of the first look: two decades."""


def search(score: Callable[[int], float]) -> tuple[int, Mapping[int, float]]:
    """The place of the best value on the grid, and the score of each place that was tried, in the order of trying.

    `score(place)` is larger for a better one and is asked once a place. Of equal scores the smaller C wins: the more
    strongly regularised of two classifiers that are equally good.
    """
    tried: dict[int, float] = {}
    places, step = list(range(0, len(STRENGTHS), COARSE)), COARSE
    while True:
        for place in places:
            if place not in tried and 0 <= place < len(STRENGTHS):
                tried[place] = score(place)
        best = min(tried, key=lambda place: (-tried[place], place))
        if step == 1:
            return best, tried
        step //= 2
        places = [best - step, best + step]
