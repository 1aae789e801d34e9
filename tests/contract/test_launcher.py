"""What a place says of its slots, and what a launcher has that writes start() alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vlpbench.plugin import Job, Launcher, Place, Started


class Ending(Started):
    """Ends at a given moment."""

    def __init__(self, at):
        self.at = at

    def ended(self):
        return 0 if time.monotonic() > self.at else None

    def stop(self):
        return

    def kill(self):
        return


class Short(Launcher):
    """As short as can be."""

    name = "short"

    def start(self, job, slot):
        return Ending(time.monotonic() + job.seconds)


def test_without_more_a_launcher_waits_for_the_first_end():
    launcher = Short(Place("cpu", 2))
    assert launcher.warm_up() is None and launcher.close() is None and launcher.runs
    jobs = [Job("a", (), Path("log.txt"), seconds=60), Job("b", (), Path("log.txt"), seconds=0.3)]
    started = [launcher.start(job, slot) for slot, job in enumerate(jobs)]
    began = time.monotonic()
    launcher.wait(started, 30)
    assert 0.2 < time.monotonic() - began < 10
    assert [one.ended() for one in started] == [None, 0]
    began = time.monotonic()
    launcher.wait(started[:1], 0.3)
    assert 0.25 < time.monotonic() - began < 10
    assert started[0].bytes_held() == 0 and started[0].pid is None


@pytest.mark.parametrize(
    ("place", "slots", "seen"),
    [
        (Place("cpu", 3), 3, [""] * 3),
        (Place("cuda", 1, ("GPU-1", "5"), 2), 4, ["GPU-1", "GPU-1", "5", "5"]),
        (Place("cuda", 2), 2, [None, None]),
    ],
)
def test_a_place_says_what_each_slot_sees(place, slots, seen):
    assert place.slots == slots
    assert [place.variables(slot).get("CUDA_VISIBLE_DEVICES") for slot in range(slots)] == seen
