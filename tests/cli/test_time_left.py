"""How long a run still takes, event by event; whole runs are in test_time_left_of_runs.py."""

from __future__ import annotations

import pytest

from vlpbench.cli import time_left
from vlpbench.cli.time_left import TimeLeft
from vlpbench.cli.work import Part, Work
from vlpbench.runner.events import Event

WORK = Work.of({"a": {"pretrain": 800.0, "vqa": 100.0}, "b": {"vqa": 100.0}})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time_left.time, "monotonic", lambda: now[0])
    return now


def test_nothing_is_known_before_something_was_measured(clock: list[float]) -> None:
    left = TimeLeft(WORK)
    assert left.share == 0 and left.seconds() is None and str(left) == "0% done"
    left.heard(Event("started", "a"))
    left.heard(Event("progress", "a", "pretrain", 5, 10))
    clock[0] += 1
    left.heard(Event("progress", "a", "pretrain", 6, 10))
    assert left.seconds() is None and left.seconds_of("a") is None


def test_share_goes_by_samples_and_a_new_stage_ends_the_ones_before_it(clock: list[float]) -> None:
    left = TimeLeft(WORK)
    left.heard(Event("progress", "a", "pretrain", 1, 4))
    assert left.share == pytest.approx(200 / 1000)
    left.heard(Event("progress", "a", "vqa", 1, 2))
    assert left.share == pytest.approx(850 / 1000)
    left.heard(Event("failed", "b"))
    assert left.share == pytest.approx(950 / 1000)
    left.heard(Event("done", "a"))
    assert left.share == 1 and left.seconds() == 0


def test_seconds_are_the_rest_at_the_pace_so_far(clock: list[float]) -> None:
    left = TimeLeft(WORK)
    left.heard(Event("started", "a"))
    for step in range(31):  # 200 samples in 30 seconds, so 800 in 120
        left.heard(Event("progress", "a", "pretrain", step, 120))
        clock[0] += 1
    assert left.seconds() == pytest.approx(600 * 0.15 + 200 * 0.15 - 1, abs=1)  # a sample is a sample
    assert left.seconds_of("a") == pytest.approx(89 + 15, abs=2)
    assert left.seconds_of("b") is None
    assert str(left) == "20% done, about 1:58 left"


def test_a_stage_that_goes_on_at_its_middle_has_not_been_that_fast(clock: list[float]) -> None:
    left = TimeLeft(Work.of({"a": {"pretrain": 1000.0}}))
    left.heard(Event("started", "a"))
    clock[0] += 2
    for step in range(500, 520):  # one a second: 480 left
        left.heard(Event("progress", "a", "pretrain", step, 1000))
        clock[0] += 1
    assert left.seconds() == pytest.approx(480, rel=0.02)


def test_what_was_read_from_disk_makes_nothing_fast(clock: list[float]) -> None:
    left = TimeLeft(WORK)
    left.heard(Event("started", "a"))
    clock[0] += 1
    for step in range(10):  # the pretraining was there: not a word of it
        left.heard(Event("progress", "a", "vqa", step, 100))
        clock[0] += 1
    assert left.paces.a_unit("pretrain", ("", "")) == left.paces.a_unit("vqa", ("", "")) == pytest.approx(1)


def test_what_takes_longer_than_guessed_is_never_nothing(clock: list[float]) -> None:
    left = TimeLeft(Work.of({"a": {"pretrain": 10.0}}, in_seconds=True))
    left.heard(Event("started", "a"))
    clock[0] += 600
    first = left.seconds()
    clock[0] += 600
    assert first is not None and first > 15
    second = left.seconds()
    assert second is not None and first < second < 300


def test_waiting_is_no_pace_and_another_run_has_no_slot(clock: list[float]) -> None:
    left = TimeLeft(Work.of({"a": {"pretrain": 50.0}, "b": {"pretrain": 100.0}}, in_seconds=True))
    left.heard(Event("started", "a"))
    left.heard(Event("progress", "a", "waits for pretrain of process 12"))
    left.heard(Event("waiting", "b", "run by process 12"))
    assert left.jobs == 1 and left.waits("a") and left.waits("b")
    clock[0] += 500
    left.heard(Event("progress", "a", "pretrain", 40, 50))
    assert not left.waits("a") and left.paces.seconds == 0
    left.heard(Event("taken", "b"))
    left.heard(Event("retried", "a", "RuntimeError"))
    clock[0] += 60
    seconds = left.seconds()
    assert seconds is not None and seconds < 50
    left.heard(Event("started", "a"))
    left.heard(Event("stopped", "a"))
    assert left.seconds() == 0


def test_a_failed_cell_leaves_what_others_need(clock: list[float]) -> None:
    shared = [Part("pretrain", 100.0, "pretrain", key="pre")]
    left = TimeLeft(Work({"a": [*shared, Part("vqa", 10.0, "vqa", key="a")], "b": shared}))
    left.heard(Event("started", "a"))
    left.heard(Event("failed", "a"))
    assert left.share == pytest.approx(10 / 110)
    left.heard(Event("done", "b"))
    assert left.share == 1


def test_cells_that_are_not_part_of_the_work_change_nothing() -> None:
    left = TimeLeft(WORK)
    left.heard(Event("done", "x"))
    left.heard(Event("progress", "a", "a stage that nobody knows", 9, 10))
    assert left.share == 0
    assert TimeLeft(Work.of({})).share == 1.0
