"""Checks of how a launcher ends jobs, and of jobs that end badly beside others."""

from __future__ import annotations

import time
from dataclasses import replace

from vlpbench.contract.launcher import Place, Started
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.launcher_job import STOPPED
from vlpbench.testing.launcher_subject import Desk, LauncherSubject

__all__ = ["check_isolation", "check_kill", "check_kill_after_the_end", "check_resume", "check_stop",
           "check_time_limit"]

_FOR_EVER = 10**9


def check_isolation(subject: LauncherSubject) -> None:
    """A job that exits, one that is killed, one that hangs and one that prints megabytes harm no other."""
    with subject.running(Place("cpu", 6)) as desk:
        steady = [desk.start(desk.job(f"steady{slot}", "note", seconds=1.0), slot) for slot in range(2)]
        hangs = desk.start(desk.job("hangs", "hang"), 2)
        others = {
            "exits": desk.start(desk.job("exits", "note", code=5), 3),
            "killed": desk.start(desk.job("killed", "die"), 4),
            "prints": desk.start(desk.job("prints", "say", words="words", megabytes=4), 5),
        }
        codes = {name: desk.code(one, f"the job that {name}") for name, one in others.items()}
        if codes != {"exits": 5, "killed": -9, "prints": 0}:
            cause = f"beside others, jobs ended with {codes}"
            raise CheckFailed(cause, "each job is a process tree of its own")
        desk.until(lambda: desk.file("hangs", "beat").exists(), "a job was not seen at work")
        hangs.kill()
        desk.code(hangs, "a job that was killed")
        if any(desk.code(one, "a job beside others") for one in steady):
            remedy = "end no process that is not the job's"
            raise CheckFailed("a job did not end with 0 beside others that failed", remedy)
        if desk.run([desk.job("after", "note")]) != {"after": 0}:
            cause = "after jobs that failed, the next one cannot run"
            raise CheckFailed(cause, "a job's end leaves its slot free")


def check_kill(subject: LauncherSubject) -> None:
    """kill() ends a job that hears nothing, with all processes that it has started; done twice it is harmless."""
    with subject.running(Place("cpu", 1)) as desk:
        one = _hanging(desk)
        one.kill()
        _check_dead(desk, one, "kill()")
        one.kill()
        one.stop()
        if one.ended() is None:
            raise CheckFailed("kill() on an ended job brought it back", "ended() stays what it was")


def check_time_limit(subject: LauncherSubject) -> None:
    """A job beyond its time limit is over, with all that it has started, once the runner has stopped and killed it."""
    with subject.running(Place("cpu", 1)) as desk:
        if desk.run([replace(desk.job("short", "note", seconds=0.2), seconds=desk.patience)]) != {"short": 0}:
            cause = "a job was ended long before its time limit"
            raise CheckFailed(cause, "job.seconds is in seconds; 0 is no limit")
        one = _hanging(desk, seconds=1.0)
        desk.launcher.wait([one], 1.0)
        one.stop()
        one.kill()
        _check_dead(desk, one, "its time limit")


def check_kill_after_the_end(subject: LauncherSubject) -> None:
    """What a job has started and left running is ended by kill() as well."""
    with subject.running(Place("cpu", 1)) as desk:
        one = desk.start(desk.job("job", "abandon"))
        if desk.code(one, "a job that leaves a process") != 0:
            cause = "a job that leaves a process running did not end with 0"
            raise CheckFailed(cause, "wait for the job alone")
        one.kill()
        if desk.beats("job"):
            cause = "a process of an ended job outlives kill()"
            raise CheckFailed(cause, "kill the process group, leader or not")


def check_stop(subject: LauncherSubject) -> None:
    """stop() lets the job finish: it alone is asked, not its processes, and it is given time."""
    with subject.running(Place("cpu", 1)) as desk:
        _stopped(desk)


def check_resume(subject: LauncherSubject) -> None:
    """A job that was stopped and is started again goes on from where it was, to the end."""
    with subject.running(Place("cpu", 1)) as desk:
        reached = _stopped(desk)
        code = desk.code(desk.start(desk.job("job", "count", to=reached + 3)), "a job that goes on")
        starts, count = desk.told("job", "starts"), desk.told("job", "count")
    if code != 0 or starts != [0, reached] or count != reached + 3:
        cause = f"a job stopped at {reached} went on from {starts[1:]} to {count} and ended with {code}"
        raise CheckFailed(cause, "start the same job again, in the same folders")


def _stopped(desk: Desk) -> int:
    """How far a counting job came that was asked to stop."""
    one = desk.start(desk.job("job", "count", to=_FOR_EVER))
    desk.until(lambda: desk.file("job", "beat").exists(), "a job was not seen at work")
    desk.until(lambda: desk.told("job", "count") > 2, "a job did not count")
    if one.ended() is not None:
        raise CheckFailed("a running job is said to have ended", "ended() is None while a job runs")
    one.stop()
    code = desk.code(one, "a job that was asked to stop")
    if not desk.file("job", "stopped").exists():
        raise CheckFailed("stop() ended a job before it could finish", "send SIGTERM, to the job itself")
    told = desk.told("job", "stopped")
    if not told["child"]:
        remedy = "send SIGTERM to the job alone, not to its group"
        raise CheckFailed("stop() ended a process that the job still needed", remedy)
    if code != STOPPED:
        cause = f"a job that stopped with exit code {STOPPED} is said to have ended with {code}"
        raise CheckFailed(cause, "give the job's own exit code")
    return int(told["count"])


def _hanging(desk: Desk, seconds: float = 0.0) -> Started:
    one = desk.start(replace(desk.job("job", "hang"), seconds=seconds))
    desk.until(lambda: desk.file("job", "beat").exists(), "a job was not seen at work")
    return one


def _check_dead(desk: Desk, one: Started, what: str) -> None:
    code = desk.code(one, f"after {what}, a job that hears nothing")
    if code == 0:
        raise CheckFailed(f"after {what}, a job is said to have ended with 0", "below zero for the signal")
    time.sleep(0.1)
    if desk.beats("job"):
        raise CheckFailed(f"a process of the job outlives {what}", "kill the job's whole process group")
