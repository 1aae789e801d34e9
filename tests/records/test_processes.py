"""A process is known by its pid and its start, whatever the clock says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from vlpbench.records import processes
from vlpbench.records.processes import is_running, start_of, this_machine


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture(params=["the system's own", "psutil's"], autouse=True)
def counted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Where starts are read."""
    if request.param == "psutil's":
        monkeypatch.setattr(processes, "_PROC", tmp_path)
    elif not Path("/proc/self/stat").is_file():
        pytest.skip("needs Linux")
    return str(request.param)


def test_this_process_runs_and_another_start_is_another_process() -> None:
    start = start_of(os.getpid())
    assert start and start == start_of(os.getpid())
    assert is_running(os.getpid(), start) is True and is_running(os.getpid(), start + "1") is False


def test_a_stopped_process_runs_and_a_dead_one_does_not(sleeper: subprocess.Popen[bytes]) -> None:
    start = start_of(sleeper.pid)
    assert start and is_running(sleeper.pid, start)
    sleeper.send_signal(signal.SIGSTOP)
    assert is_running(sleeper.pid, start)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert is_running(sleeper.pid, start) is False, "a zombie"
    sleeper.wait()
    assert start_of(sleeper.pid) is None and is_running(sleeper.pid, start) is False


@pytest.mark.parametrize("pid", [-5, 2**22 + 7, 2**40, 2**80])
def test_numbers_of_no_process(pid: int) -> None:
    assert is_running(pid, "1") is False


def test_the_clock_does_not_move_a_start(monkeypatch: pytest.MonkeyPatch, counted: str) -> None:
    start = start_of(os.getpid())
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 1e6)
    assert start_of(os.getpid()) == start


def test_nothing_is_known_of_a_process_that_one_may_not_see(monkeypatch: pytest.MonkeyPatch, counted: str) -> None:
    def refused(*said: object) -> None:
        raise PermissionError

    def gone(path: Path, **how: str) -> str:
        raise FileNotFoundError

    def hidden(process: psutil.Process) -> str:
        raise psutil.AccessDenied

    monkeypatch.setattr(Path, "read_text", gone)
    monkeypatch.setattr(os, "kill", refused)
    monkeypatch.setattr(psutil.Process, "status", hidden)
    assert start_of(os.getpid()) == "" and is_running(os.getpid(), "1") is None


def test_the_machine_has_one_name_and_not_its_own(sleeper: subprocess.Popen[bytes]) -> None:
    code = "from vlpbench.records.processes import this_machine; print(this_machine())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == this_machine() + "\n" and len(this_machine()) == 16
    assert os.uname().nodename not in said
