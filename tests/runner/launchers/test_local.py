"""Children of the fork server: all checks of launchers, and what only a local one can promise."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import vlpbench
from vlpbench.plugin import Job, Place
from vlpbench.registry import load_registry
from vlpbench.runner.launchers import logs
from vlpbench.runner.launchers.local import Local
from vlpbench.testing import parametrize_launcher_checks
from vlpbench.testing.launcher_job import STOPPED, Errand

ORDERS = '''
import os, signal, subprocess, sys, threading, time

class Order:
    def __init__(self, does, *told):
        self.does, self.told = does, told

    def __call__(self):
        return globals()[self.does](*self.told)

def sees(file):
    held = [str(os.getsid(0) == os.getpid()), str(sorted(os.sched_getaffinity(0))), os.environ.get("SEEN", ""),
            str(signal.getsignal(signal.SIGINT)), str("torch" in sys.modules), str(time.time())]
    open(file, "w").write("|".join(held))
    return 0

def leaves(word):
    sys.exit(word)

def raises():
    raise RuntimeError("nothing goes on here")

def crashes():
    os.kill(os.getpid(), signal.SIGSEGV)

def forgets():
    threading.Thread(target=time.sleep, args=(600,)).start()
    return 4

def holds(megabytes, file):
    held = bytearray(os.urandom(2**20)) * megabytes
    open(file, "w").close()
    time.sleep(600)

def escapes(file):
    child = subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(600)"], start_new_session=True)
    open(file, "w").write(str(child.pid))
    time.sleep(600)
'''

TOLD = 0.05
"""Seconds between two looks."""


@parametrize_launcher_checks([Local])
def test_it_is_a_launcher(launcher, check):
    check(launcher)


@pytest.fixture
def order(tmp_path, monkeypatch):
    """order(name, ...): what a child calls, from a module that it can import."""
    (tmp_path / "orders_of_local_tests.py").write_text(ORDERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    import orders_of_local_tests

    yield orders_of_local_tests.Order
    del sys.modules["orders_of_local_tests"]


@pytest.fixture
def start(tmp_path):
    """start(order, ...): a job of one launcher, ended with the test."""
    started = []

    def put(order, slot=0, jobs=1, **job):
        one = Local(Place("cpu", jobs)).start(Job("cell", (), tmp_path / "logs" / "log.txt", order, **job), slot)
        started.append(one)
        return one

    yield put
    for one in started:
        one.kill()
        ended(one)


def ended(one, seconds=60.0):
    end = time.monotonic() + seconds
    while one.ended() is None and time.monotonic() < end:
        time.sleep(TOLD)
    assert one.ended() is not None
    return one.ended()


def appears(file, seconds=60.0):
    end = time.monotonic() + seconds
    while not (Path(file).exists() and Path(file).read_text()) and time.monotonic() < end:
        time.sleep(TOLD)
    return Path(file).read_text()


def lives(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def gone(pid, seconds=20.0):
    end = time.monotonic() + seconds
    while lives(pid) and time.monotonic() < end:
        time.sleep(TOLD)
    return not lives(pid)


def test_a_warm_start_takes_well_under_a_second_in_a_session_of_its_own(tmp_path, order, start, monkeypatch):
    ended(start(order("sees", str(tmp_path / "warm"))))
    monkeypatch.setenv("SEEN", "of the runner, at this moment")
    took = []
    for _ in range(3):  # other processes may have the machine for a while
        began = time.time()
        ended(start(order("sees", str(tmp_path / "seen"))))
        leader, cores, seen, interrupt, torch, reached = (tmp_path / "seen").read_text().split("|")
        took.append(float(reached) - began)
    assert (leader, torch) == ("True", "True")
    assert seen == "of the runner, at this moment", "not that of when the server was started"
    assert interrupt == str(signal.SIG_IGN)
    assert min(took) < 0.5
    alone = len(os.sched_getaffinity(0)) == 1
    assert cores == str(sorted(os.sched_getaffinity(0))) or alone, "one job leaves the choice to the system"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")
def test_as_many_cells_as_cores_have_a_core_each(tmp_path, order, start):
    cores = sorted(os.sched_getaffinity(0))
    for slot in (0, len(cores) - 1):
        ended(start(order("sees", str(tmp_path / f"slot{slot}")), slot, len(cores)))
        assert (tmp_path / f"slot{slot}").read_text().split("|")[1] == f"[{cores[slot]}]"


@pytest.mark.parametrize(
    ("does", "told", "code", "said"),
    [
        ("leaves", (7,), 7, ""),
        ("leaves", (None,), 0, ""),
        ("leaves", ("no room left",), 1, "no room left"),
        ("raises", (), 1, "RuntimeError: nothing goes on here"),
        ("crashes", (), -signal.SIGSEGV, "Fatal Python error: Segmentation fault"),
        ("forgets", (), 4, ""),
        ("is_not_there", (), 1, "KeyError: 'is_not_there'"),
    ],
)
def test_however_it_ends_there_is_a_code_and_the_log_says_why(tmp_path, order, start, does, told, code, said):
    assert ended(start(order(does, *told))) == code
    assert said in (tmp_path / "logs" / "log.txt").read_text()


def test_an_order_that_cannot_be_unpacked_is_told_in_the_log(tmp_path, order, start, monkeypatch):
    sent = order("raises")
    type(sent).__module__ = "orders_of_local_tests"
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one != str(tmp_path)])
    assert ended(start(sent)) == 1
    assert "No module named 'orders_of_local_tests'" in (tmp_path / "logs" / "log.txt").read_text()


def test_a_job_without_an_order_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'cell' has no order, and 'local' runs no commands"):
        Local(Place("cpu")).start(Job("cell", ("true",), tmp_path / "log.txt"), 0)


def test_a_log_that_cannot_be_written_is_an_error_of_the_start(tmp_path, order):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        Local(Place("cpu")).start(Job("cell", (), tmp_path / "file" / "log.txt", order("raises")), 0)


def test_what_a_job_holds_is_seen_until_it_ends(tmp_path, order, start):
    sizes = (1, 201)
    started = [start(order("holds", size, str(tmp_path / f"held{size}"))) for size in sizes]
    end = time.monotonic() + 30
    while not all((tmp_path / f"held{size}").exists() for size in sizes) and time.monotonic() < end:
        time.sleep(TOLD)
    little, much = (one.bytes_held() for one in started)
    assert 180 * 2**20 < much - little < 260 * 2**20
    for one in started:
        assert lives(one.pid)
        one.kill()
        assert ended(one) == -signal.SIGKILL
        assert (one.bytes_held(), one.pid) == (0, None)


def test_a_process_in_a_session_of_its_own_is_killed_with_its_job(tmp_path, order, start):
    one = start(order("escapes", str(tmp_path / "pid")))
    pid = int(appears(tmp_path / "pid"))
    assert lives(pid)
    one.kill()
    assert ended(one) == -signal.SIGKILL
    assert gone(pid)


def test_what_a_job_leaves_running_ends_with_it(tmp_path, start):
    assert ended(start(Errand("abandon", str(tmp_path), "job"))) == 0
    time.sleep(0.2)
    before = (tmp_path / "job.beat").read_text()
    time.sleep(0.3)
    assert (tmp_path / "job.beat").read_text() == before


def test_a_job_that_prints_for_ever_fills_no_disk(tmp_path, start, monkeypatch):
    monkeypatch.setattr(logs.shorten, "__defaults__", (2**20, 2**20))
    one = start(Errand("say", str(tmp_path), "job", {"words": "these words", "megabytes": 24}))
    log, launcher = tmp_path / "logs" / "log.txt", Local(Place("cpu"))
    while one.ended() is None:
        launcher.wait([one], 5.0)
    said = log.read_bytes()
    assert one.ended() == 0
    assert len(said) < 4 * 2**20
    assert b"these words by the stream" in said[:200] and b"these words by a child" in said[-200:]
    assert said.count(logs.LEFT_OUT) == 1


def test_asked_to_stop_before_it_has_begun_it_ends_as_if_stopped(tmp_path, start):
    one = start(Errand("note", str(tmp_path), "job", {"seconds": 600}))
    one.stop()
    assert ended(one) == STOPPED


def test_it_can_be_found_by_name():
    assert load_registry().launcher("local") is Local


RUNNER = '''
import json, os, sys, time
from pathlib import Path
from multiprocessing import forkserver
from vlpbench.plugin import Job, Place
from vlpbench.runner.launchers import local
from vlpbench.testing.launcher_job import Errand

local._PRELOADED[:] = ["vlpbench.runner.launchers.beginning"]  # nothing heavy is run here
local.Local.grace = 1.0
folder = Path(sys.argv[1])

if __name__ == "__main__":
    launcher = local.Local(local.Place("cpu", 2))
    def start(name, does, **how):
        return launcher.start(Job(name, (), folder / f"{name}.log", Errand(does, str(folder), name, how)), 0)
    started = [start("counts", "count", to=10**9), start("hangs", "hang")]
    told = {"server": forkserver._forkserver._forkserver_pid, "jobs": [one.process.pid for one in started]}
    (folder / "part").write_text(json.dumps(told))
    (folder / "part").rename(folder / "runner")
    codes = []
    while len(codes) < 2:
        try:
            launcher.wait([one for one in started if one.ended() is None], 0.2)
        except KeyboardInterrupt:
            (folder / "interrupted").write_text("yes")
        codes = [one.ended() for one in started if one.ended() is not None]
    again = start("again", "note")
    launcher.wait([again], 60)
    (folder / "codes").write_text(json.dumps([*codes, again.ended()]))
'''


@pytest.fixture
def runner(tmp_path):
    """A runner in a process group of its own, two jobs of which are at work: one counts, one hears nothing."""
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "runner.py").write_text(RUNNER)
    root = str(Path(vlpbench.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "runner.py"), str(folder)], start_new_session=True,
        env={**os.environ, "PYTHONPATH": root}, stderr=subprocess.DEVNULL,
    )
    process.told = json.loads(appears(folder / "runner"))
    appears(folder / "hangs.beat")
    appears(folder / "counts.beat")
    yield process
    for pid in process.told["jobs"]:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    folder.rename(tmp_path / "done")  # what counts ends by itself
    process.kill()
    process.wait()


def test_the_jobs_of_a_killed_runner_stop_as_if_asked_to(runner, tmp_path):
    runner.kill()
    counts, hangs = runner.told["jobs"]
    assert gone(counts) and gone(hangs), "one finishes its step, the other is killed after its grace"
    told = json.loads((tmp_path / "work" / "counts.stopped").read_text())
    assert told["count"] == json.loads((tmp_path / "work" / "counts.count").read_text())
    assert gone(runner.told["server"]), "no server stays behind"
    before = (tmp_path / "work" / "hangs.beat").read_text()
    time.sleep(0.3)
    assert (tmp_path / "work" / "hangs.beat").read_text() == before


def test_what_a_terminal_sends_ends_neither_server_nor_jobs_and_a_lost_server_is_replaced(runner, tmp_path):
    server, jobs = runner.told["server"], runner.told["jobs"]
    os.killpg(runner.pid, signal.SIGINT)
    appears(tmp_path / "work" / "interrupted")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        os.kill(server, number)
    time.sleep(0.3)
    assert all(lives(pid) for pid in (server, *jobs))
    assert [os.getpgid(pid) for pid in jobs] == jobs
    assert not (tmp_path / "work" / "counts.stopped").exists()
    os.kill(server, signal.SIGKILL)
    codes = json.loads(appears(tmp_path / "work" / "codes"))
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 0], "none goes on that its runner has lost sight of"
    assert not any(lives(pid) for pid in jobs)


def test_what_cells_alone_need_is_loaded_by_the_fork_server_and_not_by_the_runner() -> None:
    code = (
        "import importlib, sys; import vlpbench.cli.run; from vlpbench.runner.launchers import local; "
        "print(sum(name in sys.modules for name in ('timm', 'torchvision'))); "
        "print(len([importlib.import_module(one) for one in local._PRELOADED]), 'timm' in sys.modules)"
    )
    root = str(Path(vlpbench.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": root}
    )
    assert done.stdout.split() == ["0", "3", "True"]
