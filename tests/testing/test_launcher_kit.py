"""A launcher of commands, short as in the docs, passes every check; launchers that are wrong fail the right one."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from vlpbench.plugin import Job, Launcher, Place, Started
from vlpbench.testing import (
    CheckFailed,
    LauncherSubject,
    check_launcher,
    launcher_checks,
    n_checks,
    parametrize_launcher_checks,
)

STARTED = []


@pytest.fixture(autouse=True)
def _reaped():
    """Jobs that a wrong launcher does not end do so when their folder is gone; variables are put back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    while STARTED:
        STARTED.pop().wait(20)


class Running(Started):
    def __init__(self, process):
        self.process = process
        STARTED.append(process)

    def ended(self):
        return self.process.poll()

    def stop(self):
        self.process.terminate()

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class Commands(Launcher):
    """Each cell is a command, the leader of its own process group."""

    name = "commands"

    def start(self, job, slot):
        environment = {**os.environ, **job.environment, **self.place.variables(slot)}
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("ab") as log:
            return Running(subprocess.Popen(
                job.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            ))


@parametrize_launcher_checks([Commands])
def test_the_launcher_of_the_docs(launcher, check):
    check(launcher)


def started(**methods):
    """The launcher of the docs, its jobs with other methods."""
    kind = type("Otherwise", (Running,), methods)

    class Wrong(Commands):
        def start(self, job, slot):
            return kind(super().start(job, slot).process)

    return Wrong


def opened(job, mode="ab", **how):
    """What the launcher of the docs starts, in another way."""
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open(mode) as log:
        given = {"stdout": log, "stderr": log, "env": {**os.environ, **job.environment}, **how}
        return Running(subprocess.Popen(job.command, start_new_session=True, **given))


def starting(**how):
    """The launcher of the docs, its commands started in another way."""

    class Wrong(Commands):
        def start(self, job, slot):
            given = dict(how)
            if "env" in given:
                given["env"] = given["env"](self, job, slot)
            return opened(job, **given)

    return Wrong


class Piped(Running):
    """Its words go into a pipe that nobody reads."""

    def kill(self):
        super().kill()
        self.process.wait()
        self.process.stdout.close()


class Blocking(Commands):
    def start(self, job, slot):
        one = super().start(job, slot)
        one.process.wait()
        return one


class Spreading(Commands):
    """Changes its own variables instead of the job's."""

    def start(self, job, slot):
        os.environ.update(job.environment)
        return super().start(job, slot)


class Unread(Commands):
    def start(self, job, slot):
        return Piped(opened(job, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).process)


class Neighbourly(Commands):
    """Whoever ends one job ends all."""

    def __init__(self, place):
        super().__init__(place)
        self.all = []

    def start(self, job, slot):
        one = super().start(job, slot)
        self.all.append(one)
        every = self.all

        class One(Running):
            def kill(self):
                for other in every:
                    Running.kill(other)

        return One(one.process)


class Hasty(Commands):
    """Takes a time limit for milliseconds."""

    def start(self, job, slot):
        one = super().start(job, slot)
        if job.seconds > 1:
            time.sleep(job.seconds / 1000)
            one.kill()
        return one


class Forgetful(Commands):
    """Each job starts from nothing."""

    def start(self, job, slot):
        for kept in job.log.parent.parent.glob(f"{job.cell}.count"):
            kept.unlink()
        return super().start(job, slot)


class Sleepy(Commands):
    def wait(self, started, seconds):
        time.sleep(seconds)


class Restless(Commands):
    def wait(self, started, seconds):
        time.sleep(0.01)


class Idle(Commands):
    """Says that it has run what it has not."""

    def start(self, job, slot):
        return Running(subprocess.Popen(["true"], start_new_session=True))


class Telling(Commands):
    """Says that it runs nothing, and runs it."""

    runs = False


class Placeless(Commands):
    def __init__(self, place):
        super().__init__(Place("cpu", 1))


class Nameless(Commands):
    name = "Some Name"


def kept(self, job, slot):
    return {**os.environ, **self.place.variables(slot)}


def renumbered(self, job, slot):
    number = str(slot // self.place.each) if self.place.devices else ""
    return {**os.environ, **job.environment, "CUDA_VISIBLE_DEVICES": number}


def shelled(self):
    code = self.process.poll()
    return 128 - code if code is not None and code < 0 else code


def lone(self):
    if self.process.poll() is None:
        Running.kill(self)


WRONG = {
    "says at once that all has ended": (started(ended=lambda self: 0), "order", "jobs ran at once in 1 slot"),
    "waits for the end in start()": (Blocking, "slots", "did not run at once"),
    "swallows exit codes": (started(ended=lambda self: None if self.process.poll() is None else 0), "exit-codes", "3"),
    "gives a shell's exit codes": (started(ended=shelled), "exit-codes", "'killed': 137"),
    "keeps variables back": (starting(env=kept), "environment", "None instead of"),
    "changes its own variables": (Spreading, "environment", "variable of the job before"),
    "renumbers GPUs": (starting(env=renumbered), "devices", "'0', not 'GPU-"),
    "leaves GPUs to a CPU": (starting(), "devices", "CUDA_VISIBLE_DEVICES"),
    "loses the log": (starting(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), "log", "lacks 'first words"),
    "loses one stream": (starting(stderr=subprocess.DEVNULL), "log", "by the second descriptor"),
    "begins the log anew": (starting(mode="wb"), "log", "lacks 'first words by the stream"),
    "reads no pipe": (Unread, "log", "have not ended"),
    "sleeps while jobs end": (Sleepy, "wait", "did not return at the end"),
    "does not wait": (Restless, "wait", "while no job ended"),
    "ends all jobs for one": (Neighbourly, "isolation", "did not end with 0 beside others"),
    "ignores kill()": (started(kill=lambda self: None), "kill", "has not ended"),
    "kills the leader alone": (started(kill=lambda self: self.process.kill()), "kill", "outlives kill()"),
    "kills no strays": (started(kill=lone), "kill-after-the-end", "outlives kill()"),
    "is hasty": (Hasty, "time-limit", "long before its time limit"),
    "kills to stop": (started(stop=Running.kill), "stop", "before it could finish"),
    "does not stop": (started(stop=lambda self: None), "stop", "has not ended"),
    "stops a job's processes": (
        started(stop=lambda self: os.killpg(self.process.pid, signal.SIGTERM)), "stop", "still needed",
    ),
    "forgets": (Forgetful, "resume", "went on from [0]"),
    "runs nothing": (Idle, "runs-as-it-says", "not seen at work"),
    "runs what it says it does not": (Telling, "runs-as-it-says", "left something"),
    "takes another place": (Placeless, "metadata", "not the given one"),
    "has no name": (Nameless, "metadata", "name is 'Some Name'"),
}


@pytest.mark.parametrize(("launcher", "check", "cause"), WRONG.values(), ids=WRONG)
def test_a_wrong_launcher_fails_the_right_check(tmp_path, launcher, check, cause):
    os.environ["CUDA_VISIBLE_DEVICES"] = "9"  # what a launcher that does not care hands on
    with pytest.raises(CheckFailed) as caught:
        launcher_checks()[check](LauncherSubject(launcher, 4.0, tmp_path))
    assert cause in caught.value.cause
    assert caught.value.check == check and caught.value.remedy


def test_nothing_is_left_behind(tmp_path):
    (finding,) = check_launcher(started(kill=lambda self: None), patience=1.5, folder=tmp_path, only=["kill"])
    assert finding.state == "failed"
    assert list(tmp_path.iterdir()) == []


def test_a_launcher_that_tells_what_there_is_to_run_is_not_asked_to_run_it(tmp_path):
    class Quiet(Commands):
        runs = False

        def start(self, job, slot):
            return Running(subprocess.Popen(["true"], start_new_session=True))

    found = {one.check: one.state for one in check_launcher(Quiet, folder=tmp_path)}
    assert len(found) == n_checks("launcher")
    assert {name for name, state in found.items() if state == "passed"} == {"metadata", "runs-as-it-says"}
    assert {state for name, state in found.items() if name not in ("metadata", "runs-as-it-says")} == {"skipped"}


def test_what_makes_a_launcher_is_as_good_as_its_class(tmp_path):
    found = check_launcher(lambda place: Commands(place), folder=tmp_path, only=["metadata", "exit-codes"])
    assert [one.state for one in found] == ["passed", "passed"]


def test_a_job_says_what_it_is():
    with pytest.raises(TypeError, match="a launcher class is checked, not 3"):
        launcher_checks()["order"](3)
    assert Job("a", ("true",), None).order is None
