"""Signals to a process that runs a cell: once, twice, in the midst of a training, and in a stranger's `except`."""

from __future__ import annotations

import os
import signal
import time

import pytest

from vlpbench.runner.stopping import Stopping, patiently
from vlpbench.training.pace import Stopped, never

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def send(number: int) -> None:
    """A signal to this very process; it is heard before this returns."""
    os.kill(os.getpid(), number)
    time.sleep(0.01)


def test_nobody_asks_and_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Stopping() as stop:
        assert not stop() and stop.asked == 0
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@BOTH
def test_asked_once_all_that_cannot_go_on_later_ends_at_once(number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Stopped), Stopping() as stop:
        send(number)
        pytest.fail("it went on")
    assert stop() and stop.asked == 1
    assert signal.getsignal(number) == before, "also where it ended by an exception"


def test_a_strangers_except_exception_does_not_hold_it_up() -> None:
    held_up = []
    with pytest.raises(Stopped), Stopping():
        try:
            send(signal.SIGTERM)
        except Exception as wrong:  # noqa: BLE001 (what a plugin may well write)
            held_up.append(wrong)
    assert held_up == []


@BOTH
def test_patiently_the_work_ends_by_itself_and_the_rest_is_not_begun(number: int) -> None:
    steps = []
    with pytest.raises(Stopped), Stopping() as stop:
        with patiently(stop):
            for step in range(9):
                if step == 2:
                    send(number)
                steps.append(step)
                if stop():
                    break
        pytest.fail("what comes next was begun")
    assert steps == [0, 1, 2], "the step was finished"


def test_patiently_work_that_says_itself_that_it_stopped() -> None:
    with pytest.raises(Stopped, match="with a checkpoint"), Stopping() as stop, patiently(stop):
        send(signal.SIGTERM)
        raise Stopped("with a checkpoint")


def test_a_failure_in_the_last_step_is_told_as_a_failure() -> None:
    with pytest.raises(ArithmeticError), Stopping() as stop, patiently(stop):
        send(signal.SIGTERM)
        raise ArithmeticError("the last step")


def test_after_patience_a_signal_cuts_off_again() -> None:
    with pytest.raises(Stopped), Stopping() as stop:
        with patiently(stop):
            pass
        send(signal.SIGTERM)
        pytest.fail("it went on")


def test_ctrl_c_twice_is_not_waited_for() -> None:
    with pytest.raises(KeyboardInterrupt), Stopping() as stop, patiently(stop):
        send(signal.SIGINT)
        send(signal.SIGINT)
        pytest.fail("it went on")


def test_a_queue_that_says_it_twice_is_as_patient_as_before() -> None:
    """Some send SIGTERM to a process and to its group; whoever has no patience left sends SIGKILL."""
    heard = []
    with pytest.raises(Stopped), Stopping() as stop, patiently(stop):
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        heard.append(stop.asked)
    assert heard == [2]


def test_work_that_somebody_else_has_taken_need_not_go_on() -> None:
    with Stopping() as stop:
        stop.lost = lambda: True
        assert stop() and stop.asked == 0
        stop.lost = never
        assert not stop()


def test_where_nobody_listens_patience_is_nothing() -> None:
    with patiently(never):
        assert not never()
    with patiently(lambda: True):
        held = True
    assert held
