"""The search over C: what it tries, what it promises, and that it keeps the promise on any curve."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from vlpbench.tasks.strengths import COARSE, STRENGTHS, search


def test_the_grid_is_that_of_clip() -> None:
    assert len(STRENGTHS) - 1 == 96, "steps"
    assert STRENGTHS[0] == pytest.approx(1e-6) and STRENGTHS[-1] == pytest.approx(1e6)
    ratios = [math.log10(b / a) for a, b in itertools.pairwise(STRENGTHS)]
    assert ratios == pytest.approx([1 / 8] * 96)


@pytest.mark.parametrize("top", range(len(STRENGTHS)))
def test_a_single_peak_is_found_wherever_it_is(top: int) -> None:
    asked: list[int] = []

    def score(place: int) -> float:
        asked.append(place)
        return -abs(place - top)

    best, tried = search(score)
    assert best == top
    assert len(asked) == len(set(asked)) <= 15 and list(tried) == asked
    assert asked[:7] == list(range(0, 97, COARSE)), "the coarse look comes first"


@pytest.mark.parametrize("seed", range(40))
def test_the_promise_holds_on_any_curve(seed: int) -> None:
    """Best of all tried, the coarse ones among them; no neighbour is better; ties go to the smaller C."""
    curve = np.random.default_rng(seed).integers(0, 12, len(STRENGTHS))
    best, tried = search(lambda place: float(curve[place]))
    assert set(tried) >= set(range(0, 97, COARSE))
    assert tried[best] == max(tried.values()) == curve[best]
    assert all(curve[near] <= curve[best] for near in (best - 1, best + 1) if 0 <= near < len(curve))
    assert best == min(place for place, value in tried.items() if value == tried[best])


def test_a_flat_curve_takes_the_strongest() -> None:
    assert search(lambda place: 1.0)[0] == 0


def test_peaks_at_both_ends_stay_on_the_grid() -> None:
    assert search(float)[0] == 96
    assert search(lambda place: float(-place))[0] == 0
