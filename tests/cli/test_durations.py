"""Seconds as a person says them."""

from __future__ import annotations

import time

import pytest

from vlpbench.cli.durations import clock, roughly, until

DAY = 86400.0


@pytest.mark.parametrize(("seconds", "said"), [
    (-3, "0:00"), (7.9, "0:07"), (754, "12:34"), (3600, "1:00:00"), (26 * 3600 + 184, "26:03:04"),
])
def test_clock_counts_up_and_never_below_nothing(seconds: float, said: str) -> None:
    assert clock(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [
    (200, "3:20"), (3599, "59:59"), (7800, "2 h 10 min"), (3660, "1 h 01 min"), (3 * DAY + 4 * 3600 + 60, "3 d 4 h"),
])
def test_a_guess_is_said_no_finer_than_it_is(seconds: float, said: str) -> None:
    assert roughly(seconds) == said


def test_until_names_the_day_where_it_is_another() -> None:
    noon = time.mktime((2024, 5, 14, 12, 0, 0, 0, 0, -1))
    assert until(1800, noon) == "12:30"
    assert until(DAY, noon) == "Wed 12:00"
    assert until(10 * DAY, noon) == "24 May 12:00"
