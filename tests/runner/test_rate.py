"""A training's rate from the times at which its loop asks whether to stop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.runner.conftest import Ran
from vlpbench.runner.rate import Rate


def at(*times: float) -> Callable[[], float]:
    waiting = iter(times)
    return lambda: next(waiting)


def test_the_first_step_is_told_by_itself_and_left_out_of_the_rate() -> None:
    rate = Rate(lambda: False, at(0.0, 10.0, 11.0, 12.0))
    assert not any(rate() for _ in range(3))
    assert rate.told(pairs=32, flops=4e12) == {
        "first_step_seconds": 10.0, "pairs_per_second": pytest.approx(32.0), "tflops": pytest.approx(4.0),
    }


def test_without_steps_nothing_is_known_and_with_one_no_rate() -> None:
    rate = Rate(lambda: False, at(1.0, 3.0))
    assert rate.told(32, 1e9) == {}
    rate()
    assert rate.told(32, 1e9) == {"first_step_seconds": 2.0}


def test_whoever_wants_to_stop_is_heard() -> None:
    answers = iter([False, True])
    rate = Rate(lambda: next(answers))
    assert [rate(), rate()] == [False, True]


def test_a_record_says_how_fast_its_pretraining_was(ran: Ran) -> None:
    """In `timing.json`, among facts of the machine, and nowhere among results."""
    folder = ran.folder("words")
    speed = folder.facts("timing")["speed"]["pretrain"]
    assert set(speed) == {"pairs_per_second", "tflops", "first_step_seconds", "peak_bytes"}
    assert all(value > 0 for value in speed.values())
    assert "pairs_per_second" not in str(folder.read("scores.json"))
    assert "speed" not in ran.folder("plain").facts("timing") or not ran.folder("plain").facts("timing")["speed"]
