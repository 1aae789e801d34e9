"""Steps that are timed: the first by itself, as many as asked for, and what the median leaves out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from vlpbench.device import Device
from vlpbench.training.stopwatch import Patience, Spread, Timed, spread_of, timed_steps

CPU = Device("cpu")


def test_quartiles_lie_around_the_median() -> None:
    found = spread_of([5.0, 1.0, 2.0, 3.0, 4.0])
    assert found == Spread(3.0, 2.0, 4.0, 5)
    assert found.told() == {"median": 3.0, "low": 2.0, "high": 4.0, "count": 5}


def test_one_duration_spreads_nowhere() -> None:
    assert spread_of([2.0]) == Spread(2.0, 2.0, 2.0, 1)


def test_the_first_step_is_told_by_itself() -> None:
    def step(number: int) -> None:
        time.sleep(0.05 if number == 0 else 0.002)

    found = timed_steps(step, itertools.count(), CPU, Patience(warm=2, least=3, most=3))
    assert found.first >= 0.05 > found.steps.median >= 0.002
    assert found.steps.count == 3


def test_as_many_steps_as_the_seconds_ask_for_within_bounds() -> None:
    taken: list[int] = []
    timed_steps(taken.append, itertools.count(), CPU, Patience(warm=1, least=2, most=7, seconds=60.0))
    assert len(taken) == 8
    slow = timed_steps(lambda _: time.sleep(0.02), itertools.count(), CPU, Patience(1, 2, 100, 0.001))
    assert slow.steps.count == 2


def test_what_is_given_may_end_early() -> None:
    assert timed_steps(lambda _: None, range(4), CPU, Patience(warm=2, least=5, most=9)).steps.count == 2
    only = timed_steps(lambda _: None, range(1), CPU, Patience(warm=3))
    assert only.steps.median == only.first
    with pytest.raises(ValueError, match="no step"):
        timed_steps(lambda _: None, [], CPU)


def test_fetching_belongs_to_its_step() -> None:
    def slow() -> Iterator[int]:
        for number in range(5):
            time.sleep(0.01)
            yield number

    assert timed_steps(lambda _: None, slow(), CPU, Patience(1, 3, 3)).steps.median >= 0.01


def test_what_compiling_took_is_part_of_the_start() -> None:
    found = Timed((1.0, 30.0, 0.5), Spread(0.5, 0.4, 0.6, 9))
    assert (found.first, found.start) == (1.0, 30.5)
    assert Timed((1.0,), Spread(2.0, 2.0, 2.0)).start == 1.0
