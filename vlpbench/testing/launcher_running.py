"""Checks of how a launcher runs jobs: which, when, on what, and what they leave behind."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from vlpbench.contract.launcher import Place
from vlpbench.registry.checks import Unfit, check_component
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.launcher_subject import LauncherSubject

__all__ = ["check_devices", "check_environment", "check_exit_codes", "check_launcher_metadata", "check_log",
           "check_nothing_is_run", "check_order", "check_slots", "check_wait"]

_GPUS = ("GPU-5f0c1a90-6a47-41c4-8c53-f5b9d2d1f8e7", "3", "MIG-8b1c6f2e-0d0f-5d7b-9a4b-2f1a4f7c1e55")
"""Names as a parent's CUDA_VISIBLE_DEVICES may hold them; no job of the kit touches a GPU."""

_WORD = "VLPBENCH_KIT_WORD"


def check_launcher_metadata(subject: LauncherSubject) -> None:
    """A class with a name and the methods of the contract, built of a place alone."""
    if isinstance(subject.make, type):
        try:
            check_component("launcher", subject.make)
        except Unfit as wrong:
            raise CheckFailed(str(wrong), wrong.remedy) from wrong
    place = Place("cpu", 2)
    launcher = subject.make(place)
    if launcher.place != place:
        cause = f"its place is {launcher.place!r}, not the given one"
        raise CheckFailed(cause, "call super().__init__(place)")


def check_nothing_is_run(subject: LauncherSubject) -> None:
    """A launcher that says `runs = False` leaves all jobs alone; any other runs each job once it is started."""
    runs = getattr(subject.make, "runs", True)
    with subject.desk(Place("cpu", 1)) as desk:
        codes = desk.run([desk.job("job", "note")])
        if runs:
            desk.told("job")
            return
        time.sleep(0.3)
        if codes != {"job": 0} or list(desk.folder.iterdir()):
            cause = "it says runs = False, but a job left something, or ended in another way than with 0"
            raise CheckFailed(cause, "say runs = True, or leave the job alone")


def check_order(subject: LauncherSubject) -> None:
    """With one slot, jobs run one after the other, in the order in which they were started, each once."""
    with subject.running(Place("cpu", 1)) as desk:
        names = [f"job{number}" for number in range(4)]
        desk.run([desk.job(name, "note", seconds=0.1) for name in names])
        notes = {name: desk.told(name) for name in names}
        _refuse_crowds(notes, 1)
        seen = sorted(names, key=lambda name: float(notes[name]["began"]))
        if seen != names:
            cause = f"jobs began in the order {', '.join(seen)}"
            raise CheckFailed(cause, "start a job when start() is called")


def check_slots(subject: LauncherSubject) -> None:
    """With two slots, two jobs run at once and never three; start() does not wait for a job's end."""
    with subject.running(Place("cpu", 2)) as desk:
        pair = (("left", "right"), ("right", "left"))
        both = [desk.job(one, "meet", other=other, seconds=desk.patience / 2) for one, other in pair]
        if any(desk.run(both).values()):
            remedy = "start() returns as soon as a job is started"
            raise CheckFailed("two jobs in two slots did not run at once", remedy)
        names = [f"job{number}" for number in range(5)]
        desk.run([desk.job(name, "note", seconds=0.2) for name in names])
        _refuse_crowds({name: desk.told(name) for name in names}, 2)


def _refuse_crowds(notes: Mapping[str, Any], most: int) -> None:
    """CheckFailed if more jobs ran at one time than there are slots."""
    for name, note in notes.items():
        beside = [other for other, one in notes.items() if one["began"] <= note["began"] < one["ended"]]
        if len(beside) > most:
            cause = f"{len(beside)} jobs ran at once in {most} slot(s) when {name} began: {', '.join(beside)}"
            raise CheckFailed(cause, "ended() is None as long as a job runs or waits")


def check_exit_codes(subject: LauncherSubject) -> None:
    """ended() is the job's own exit code, below zero for the signal that ended it."""
    with subject.running(Place("cpu", 1)) as desk:
        jobs = [desk.job("good", "note"), desk.job("bad", "note", code=3), desk.job("killed", "die")]
        codes, expected = desk.run(jobs), {"good": 0, "bad": 3, "killed": -9}
    if codes != expected:
        cause = f"exit codes are {codes}, not {expected}"
        raise CheckFailed(cause, "a shell's 128 + n is the signal n: give -n")


def check_environment(subject: LauncherSubject) -> None:
    """A job sees its own variables, none of another's, and a folder that no other job has changed."""
    word = "two words, 'quoted', with ü and $HOME"
    before = dict(os.environ)
    with subject.running(Place("cpu", 1)) as desk:
        jobs = [desk.job("first", "note", {_WORD: word}), desk.job("spoils", "spoil"), desk.job("second", "note")]
        desk.run(jobs)
        first, second = desk.told("first"), desk.told("second")
    if first["environment"].get(_WORD) != word:
        cause = f"a job sees {first['environment'].get(_WORD)!r} instead of its variable's value {word!r}"
        raise CheckFailed(cause, "hand job.environment over as it is")
    if _WORD in second["environment"] or "VLPBENCH_KIT_SPOILT" in second["environment"]:
        raise CheckFailed("a job sees a variable of the job before it", "give each job a process of its own")
    if first["folder"] != second["folder"] or "PATH" not in second["environment"]:
        cause = "a job finds its process as another job has left it"
        raise CheckFailed(cause, "give each job a process of its own")
    if dict(os.environ) != before:
        cause = "starting jobs changed this process's own variables"
        raise CheckFailed(cause, "copy os.environ before adding to it")


def check_devices(subject: LauncherSubject) -> None:
    """Each slot sees the name of its own GPU, as the parent says it, and nothing else; on a CPU it sees none."""
    for place in (Place("cuda", 1, _GPUS, 2), Place("cpu", 1)):
        with subject.running(place) as desk:
            slots = range(place.slots)
            started = [desk.start(desk.job(f"slot{slot}", "note"), slot) for slot in slots]
            for slot in slots:
                desk.code(started[slot], f"the job in slot {slot}")
                seen = desk.told(f"slot{slot}")["environment"].get("CUDA_VISIBLE_DEVICES")
                expected = place.variables(slot)["CUDA_VISIBLE_DEVICES"]
                if seen != expected:
                    cause = f"slot {slot} sees CUDA_VISIBLE_DEVICES={seen!r}, not {expected!r}"
                    raise CheckFailed(cause, "add self.place.variables(slot) to the job's environment")


def check_log(subject: LauncherSubject) -> None:
    """What a job, its C code and its children say stands in job.log, behind what stood there, and nowhere else."""
    with subject.running(Place("cpu", 1)) as desk:
        job = desk.job("speaks", "say", words="first words")
        again = desk.job("speaks", "say", words="later words", megabytes=8)
        other = desk.job("other", "note")
        if any(desk.run([job, again, other]).values()):
            remedy = "write to job.log, or read the pipe on and on"
            raise CheckFailed("a job that prints 8 MiB did not end with 0", remedy)
        if not job.log.is_file():
            raise CheckFailed("there is no job.log", "send both streams of the job to it")
        said = job.log.read_text(encoding="utf-8", errors="replace")
        for words in ("first words", "later words"):
            for way in ("the stream", "the first descriptor", "the second descriptor", "a child"):
                if f"{words} by {way}" not in said:
                    remedy = "send both streams to it, in append mode"
                    raise CheckFailed(f"job.log lacks '{words} by {way}'", remedy)
        if other.log.is_file() and "words" in other.log.read_text(encoding="utf-8"):
            raise CheckFailed("one job's words stand in another's log", "each job has a log of its own")


def check_wait(subject: LauncherSubject) -> None:
    """wait() returns when a job ends, else when its seconds are over."""
    with subject.running(Place("cpu", 2)) as desk:
        hanging = desk.start(desk.job("hangs", "hang"), 0)
        desk.until(lambda: desk.file("hangs", "beat").exists(), "a job was not seen at work")
        began = time.monotonic()
        desk.launcher.wait([hanging], 0.5)
        took = time.monotonic() - began
        if not 0.4 < took < 5.0:
            cause = f"wait() for 0.5 s took {took:.1f} s while no job ended"
            raise CheckFailed(cause, "return after `seconds`")
        ending = desk.start(desk.job("ends", "note", seconds=0.3), 1)
        began = time.monotonic()
        desk.launcher.wait([hanging, ending], desk.patience)
        if ending.ended() is None or time.monotonic() - began > desk.patience / 2:
            cause = "wait() did not return at the end of one of two jobs"
            raise CheckFailed(cause, "look at all, again and again")
