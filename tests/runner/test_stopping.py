"""Signals to a process that runs a cell: once, twice, in the midst of a training, and in a stranger's `except`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from vlpbench.runner.stopping import Stopping, patiently
from vlpbench.training.pace import Stopped, never

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])

WENT_ON = "it went on"


def send(number: int) -> None:
    """A signal to this very process; it is heard before this returns."""
    os.kill(os.getpid(), number)
    time.sleep(0.01)


def end_of(work: Callable[[Stopping], object]) -> str:
    """How the work ends in a process that listens: the name of what it raised."""
    try:
        with Stopping() as stop:
            work(stop)
    except (Stopped, KeyboardInterrupt, ArithmeticError) as wrong:
        return type(wrong).__name__
    return WENT_ON


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def test_nobody_asks_and_the_handlers_of_before_come_back() -> None:
    before = handlers()
    with Stopping() as stop:
        assert not stop() and stop.count == 0
        assert not set(handlers()) & set(before)
    assert handlers() == before


@BOTH
def test_asked_once_all_that_cannot_go_on_later_ends_at_once(number: int) -> None:
    before, asked = handlers(), []

    def work(stop: Stopping) -> None:
        asked.append(stop)
        send(number)

    assert end_of(work) == "Stopped"
    assert asked[0]() and asked[0].count == 1
    assert handlers() == before, "also where it ended by an exception"


def test_a_strangers_except_exception_does_not_hold_it_up() -> None:
    held_up = []

    def work(stop: Stopping) -> None:
        try:
            send(signal.SIGTERM)
        except Exception as wrong:  # noqa: BLE001 (what a plugin may well write)
            held_up.append(wrong)

    assert end_of(work) == "Stopped" and held_up == []


@BOTH
def test_patiently_the_work_ends_by_itself_and_the_rest_is_not_begun(number: int) -> None:
    steps: list[object] = []

    def work(stop: Stopping) -> None:
        with patiently(stop):
            for step in range(9):
                if step == 2:
                    send(number)
                steps.append(step)
                if stop():
                    break
        steps.append("what comes next")

    assert end_of(work) == "Stopped"
    assert steps == [0, 1, 2], "the step was finished, and nothing else begun"


@pytest.mark.parametrize("last", [Stopped("with a checkpoint"), ArithmeticError("the last step")])
def test_what_the_last_step_raises_is_what_is_told(last: BaseException) -> None:
    def work(stop: Stopping) -> None:
        with patiently(stop):
            send(signal.SIGTERM)
            raise last

    assert end_of(work) == type(last).__name__


def test_after_patience_a_signal_cuts_off_again() -> None:
    def work(stop: Stopping) -> None:
        with patiently(stop):
            assert not stop()
        send(signal.SIGTERM)

    assert end_of(work) == "Stopped"


def test_ctrl_c_twice_is_not_waited_for() -> None:
    def work(stop: Stopping) -> None:
        with patiently(stop):
            send(signal.SIGINT)
            send(signal.SIGINT)
            pytest.fail(WENT_ON)

    assert end_of(work) == "KeyboardInterrupt"


def test_a_queue_that_says_it_twice_is_as_patient_as_before() -> None:
    """Some send SIGTERM to a process and to its group; whoever has no patience left sends SIGKILL."""
    heard = []

    def work(stop: Stopping) -> None:
        with patiently(stop):
            send(signal.SIGTERM)
            send(signal.SIGTERM)
            heard.append(stop.count)

    assert end_of(work) == "Stopped" and heard == [2]


def test_work_that_somebody_else_has_taken_need_not_go_on() -> None:
    def work(stop: Stopping) -> None:
        with patiently(stop):
            stop.lost = lambda: True
            assert stop() and stop.count == 0
        stop.lost = never
        assert not stop()

    assert end_of(work) == WENT_ON, "what that means is for others to say"


@pytest.mark.parametrize("stop", [never, lambda: True])
def test_where_nobody_listens_patience_is_nothing(stop: Callable[[], bool]) -> None:
    before = handlers()
    with patiently(stop):
        assert handlers() == before
