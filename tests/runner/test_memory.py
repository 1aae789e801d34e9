"""Real processes that hold memory, and made-up machines that have little of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from vlpbench.runner import memory
from vlpbench.runner.memory import (
    MemoryWatch,
    available_bytes,
    held_bytes,
    kernel_kills,
    limit_bytes,
    prefer_as_victim,
)

MIB = 2**20
Start = Callable[..., subprocess.Popen[str]]

HOLD = "import sys; kept = bytearray(b'x') * (int(sys.argv[1]) << 20); print('ready', flush=True); sys.stdin.read()"
PARENT = (
    "import subprocess, sys; words = [sys.executable, '-c', sys.argv[2], sys.argv[1]]\n"
    "child = subprocess.Popen(words, start_new_session=len(sys.argv) > 3); child.wait()"
)
FORKING = (
    "import os, sys; kept = bytearray(b'x') * (int(sys.argv[1]) << 20)\n"
    "pid = os.fork()\n"
    "if pid == 0: os.setpgid(0, 0); print(os.getpid(), flush=True)\n"
    "sys.stdin.read()\n"
    "pid and os.waitpid(pid, 0)"
)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python program in a process group of its own, and wait for its first line."""
    started = []

    def begin(code: str, *words: str, group: bool = True) -> subprocess.Popen[str]:
        one = subprocess.Popen(
            [sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=group,
        )
        started.append(one)
        assert one.stdout is not None
        one.said = one.stdout.readline()
        return one

    yield begin
    for one in started:
        one.communicate("", timeout=20)  # the end of their input ends them all


def machine(root: Path, groups: str, **files: str) -> Path:
    """A made-up root folder; a file's name has __ for slashes."""
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_a_process_with_all_that_it_has_started(start: Start) -> None:
    alone = start(HOLD, "40")
    assert 40 * MIB < held_bytes(alone.pid) < 70 * MIB
    parent = start(PARENT, "60", HOLD)
    assert 60 * MIB < held_bytes(parent.pid) < 100 * MIB


def test_a_child_that_has_left_the_group_counts(start: Start) -> None:
    parent = start(PARENT, "60", HOLD, "leave")
    (child,) = psutil.Process(parent.pid).children()
    assert os.getpgid(child.pid) != parent.pid
    assert held_bytes(parent.pid) > 60 * MIB


def test_an_orphan_that_has_stayed_in_the_group_counts(start: Start) -> None:
    leader = start(
        "import os, sys\n"
        "if os.fork() == 0:\n"
        "    if os.fork(): os._exit(0)\n"
        "    kept = bytearray(b'x') * (50 << 20)\n"
        "    print(os.getpid(), flush=True)\n"
        "sys.stdin.read()"
    )
    assert psutil.Process(int(leader.said)).ppid() != leader.pid
    assert held_bytes(leader.pid) > 50 * MIB


def test_the_others_of_a_group_that_it_does_not_lead_do_not_count(start: Start) -> None:
    start(HOLD, "80", group=False)
    small = start(HOLD, "5", group=False)
    assert held_bytes(small.pid) < 40 * MIB


def test_what_has_vanished_holds_nothing(start: Start) -> None:
    gone = start(HOLD, "1")
    gone.communicate("", timeout=20)
    assert held_bytes(gone.pid) == 0
    assert MemoryWatch(1).over({"gone": gone.pid}) is None


def test_a_cell_over_its_limit_is_named(start: Start) -> None:
    started = {"small": start(HOLD, "5").pid, "large": start(HOLD, "90").pid}
    assert MemoryWatch(200 * MIB).over(started) is None
    found = MemoryWatch(80 * MIB).over(started)
    assert found is not None
    job, said = found
    told = re.fullmatch(r"out of memory: it held ([\d.]+) of 80\.0 MiB that a cell may hold", said)
    assert job == "large" and told is not None and 90 < float(told[1]) < 120
    assert MemoryWatch(0).over(started) is None  # this machine is not full
    assert MemoryWatch(80 * MIB).over({}) is None


def test_the_largest_of_several_over_the_limit_is_named_first(start: Start) -> None:
    started = {rows: start(HOLD, str(rows)).pid for rows in (60, 100, 80)}
    watch = MemoryWatch(50 * MIB)
    for expected in (100, 80, 60):
        found = watch.over(started)
        assert found is not None and found[0] == expected
        del started[expected]


def test_pages_of_a_fork_server_are_counted_once(start: Start) -> None:
    """A forked cell that has written nothing shares its parent's pages: half of them are its own."""
    parent = start(FORKING, "100")
    child = int(parent.said)
    assert held_bytes(child) > 100 * MIB
    assert MemoryWatch(90 * MIB).over({"child": child}) is None
    assert MemoryWatch(40 * MIB).over({"child": child}) is not None


def test_a_full_machine_loses_the_cell_that_holds_most(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    started = {"small": start(HOLD, "5").pid, "large": start(HOLD, "90").pid}
    now = [100.0]
    monkeypatch.setattr(memory.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(memory, "limit_bytes", lambda: 1000 * MIB)
    left = [50 * MIB]
    monkeypatch.setattr(memory, "available_bytes", lambda: left[0])
    watch = MemoryWatch()
    assert watch.over(started) is None
    left[0] = 30 * MIB
    found = watch.over(started)
    assert found is not None and found[0] == "large"
    assert found[1].endswith(" of 1000.0 MiB, the most of 2 when the machine was full")
    assert watch.over(started) is None  # its memory is not back yet
    now[0] += 5
    assert watch.over(started) is not None
    now[0] += 5
    left[0] = 50 * MIB
    assert watch.over(started) is None


def test_cells_that_hold_next_to_nothing_are_left_alone(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else has filled the machine: ending them would not help."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 0)
    monkeypatch.setattr(memory, "limit_bytes", lambda: 100 * 2**30)
    started = {"small": start(HOLD, "5").pid}
    assert MemoryWatch().over(started) is None


def test_on_a_large_machine_eight_gib_are_enough(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "WORTH", 0.0)
    monkeypatch.setattr(memory, "limit_bytes", lambda: 2048 * 2**30)
    started = {"small": start(HOLD, "5").pid}
    monkeypatch.setattr(memory, "available_bytes", lambda: 9 * 2**30)
    assert MemoryWatch().over(started) is None
    monkeypatch.setattr(memory, "available_bytes", lambda: 7 * 2**30)
    assert MemoryWatch().over(started) is not None


def test_asking_is_cheap(start: Start) -> None:
    started = {at: start(HOLD, "5").pid for at in range(4)}
    watch = MemoryWatch(500 * MIB)
    seconds = []
    for _ in range(9):
        begin = time.perf_counter()
        assert watch.over(started) is None
        seconds.append(time.perf_counter() - begin)
    assert sorted(seconds)[4] < 0.02


def test_this_machine() -> None:
    assert 0 < available_bytes() <= limit_bytes() <= psutil.virtual_memory().total
    assert kernel_kills() >= 0


def test_a_group_of_version_2_and_those_above_it(tmp_path: Path) -> None:
    unit = 1000
    root = machine(
        tmp_path, "0::/user/job\n",
        **{
            "sys/fs/cgroup/user/memory.max": f"{50 * unit}\n", "sys/fs/cgroup/user/memory.current": f"{45 * unit}\n",
            "sys/fs/cgroup/user/memory.stat": f"anon {10 * unit}\nactive_file {20 * unit}\ninactive_file {5 * unit}\n",
            "sys/fs/cgroup/user/job/memory.max": "max\n", "sys/fs/cgroup/user/job/memory.current": f"{9 * unit}\n",
        },
    )
    assert limit_bytes(root) == 50 * unit
    assert available_bytes(root) == (50 - 45 + 25) * unit


def test_a_group_of_version_1_seen_from_inside_a_container(tmp_path: Path) -> None:
    """The path is the host's, which is not there; the container's own limit stands at the root."""
    memory_of = "sys/fs/cgroup/memory/memory."
    root = machine(
        tmp_path, "9:cpu:/x\n4:memory:/docker/1b63\n0::/\n",
        **{
            f"{memory_of}limit_in_bytes": "70000\n", f"{memory_of}usage_in_bytes": "60000\n",
            f"{memory_of}stat": "inactive_file 1\ntotal_inactive_file 20000\ntotal_active_file 3000\n",
        },
    )
    assert limit_bytes(root) == 70000
    assert available_bytes(root) == 33000
    (root / f"{memory_of}limit_in_bytes").write_text("9223372036854771712\n")  # how version 1 says "none"
    assert limit_bytes(root) == psutil.virtual_memory().total


def test_a_group_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    name = "sys/fs/cgroup/memory."
    root = machine(tmp_path, "0::/\n", **{f"{name}max": "500\n", f"{name}current": "900\n"})
    assert available_bytes(root) == 0


def test_a_system_without_groups_has_the_whole_machine(tmp_path: Path) -> None:
    assert limit_bytes(tmp_path) == psutil.virtual_memory().total
    assert available_bytes(tmp_path) > 0
    assert kernel_kills(tmp_path) == 0


def test_the_kernel_tells_how_many_it_has_ended(tmp_path: Path) -> None:
    assert kernel_kills(machine(tmp_path, "", **{"proc/vmstat": "nr_free_pages 5\noom_kill 3\n"})) == 3


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux alone has it")
def test_a_cell_and_its_children_are_preferred_as_victims() -> None:
    code = (
        "from vlpbench.runner.memory import prefer_as_victim; import subprocess\n"
        "prefer_as_victim(); prefer_as_victim(); print(open('/proc/self/oom_score_adj').read(), flush=True)\n"
        "subprocess.run(['cat', '/proc/self/oom_score_adj'])"
    )
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    said = subprocess.check_output([sys.executable, "-c", code], text=True, env=where, timeout=60)
    assert said.split() == ["500", "500"]


def test_where_it_is_refused_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> str:
        raise PermissionError

    before = [process for process in (Path("/proc/self/oom_score_adj"),) if process.exists()]
    told = [file.read_text() for file in before]
    monkeypatch.setattr(Path, "write_text", refuse)
    prefer_as_victim()
    assert [file.read_text() for file in before] == told
