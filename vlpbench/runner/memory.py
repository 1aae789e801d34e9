"""The memory of started cells is watched, so that one that leaks ends with its cause instead of taking all down.

Measured is what the kernel cannot take back: a process's own pages, shared memory and what was swapped out, not the
files that it has mapped. A cell is a process with all of its process group and all their descendants.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

__all__ = ["MemoryWatch", "available_bytes", "held_bytes", "kernel_kills", "limit_bytes", "prefer_as_victim"]

K = TypeVar("K")

LEAST_SHARE = 0.04
"""A machine with less than this share of its memory left is about to end one of its processes."""
LEAST_BYTES = 8 * 2**30
"""So much left is enough on a machine of any size."""
WORTH = 0.01
"""A cell that holds less than this share of the memory is not ended: what fills the machine is something else."""
GRACE = 3.0
"""Seconds until a cell that was ended has given its memory back; no other is named before."""
VICTIM = 500
"""What is added to a cell's badness, in thousandths of the memory, when the kernel looks for a process to end."""

_PROC = Path("/proc/self/status").is_file()
_RECLAIMED = {"inactive_file", "active_file", "slab_reclaimable"}
_RECLAIMED_V1 = {"total_inactive_file", "total_active_file"}


def limit_bytes(system: Path = Path("/")) -> int:
    """Memory that the processes here may use: the machine's, or less where a cgroup (v1 or v2) says so."""
    return min([psutil.virtual_memory().total, *(limit for limit, _ in _groups(system))])


def available_bytes(system: Path = Path("/")) -> int:
    """Memory that is left, of the machine or of the tightest cgroup; caches that the kernel can drop count as left."""
    return max(0, min([psutil.virtual_memory().available, *(limit - used for limit, used in _groups(system))]))


def held_bytes(pid: int) -> int:
    """Memory that a process holds with its process group and all their descendants; 0 where it has vanished.

    Pages that a forked process still shares with its parent count as its own: an upper bound, and cheap.
    """
    return sum(map(_held, _family(pid, _group_members([pid])[pid])))


class MemoryWatch:
    """Says which of the started cells must be ended for want of memory; asked about once a second."""

    def __init__(self, limit: float = 0) -> None:
        self.limit = limit
        """Bytes that one cell may hold; 0 leaves it to the machine."""
        self._quiet_until = 0.0

    def over(self, started: Mapping[K, int], cells: Mapping[K, int] | None = None) -> tuple[K, str] | None:
        """The job that must be killed now, and why; `started` has the process id of each, `cells` how many it runs.

        That is one that holds more than its cells may, or, when the machine is nearly full, the one that holds most.
        """
        members = _group_members(started.values())
        families = {job: _family(pid, members[pid]) for job, pid in started.items()}
        held = {job: sum(map(_held, family)) for job, family in families.items()}
        for job in sorted(held, key=lambda job: held[job], reverse=True):
            many = (cells or {}).get(job, 1)
            limit = self.limit * many
            if not limit or held[job] <= self.limit:
                break
            exact = sum(map(_own_share, families[job])) if held[job] > limit else 0  # slower, so only where it decides
            if exact > limit:
                whose = "a cell" if many == 1 else f"{many} cells together"
                return job, f"out of memory: it held {_of(exact, limit)} that {whose} may hold"
        return self._fullest(held)

    def _fullest(self, held: Mapping[K, int]) -> tuple[K, str] | None:
        if not held or time.monotonic() < self._quiet_until:
            return None
        total, left = limit_bytes(), available_bytes()
        job = max(held, key=lambda job: held[job])
        if left >= min(LEAST_SHARE * total, LEAST_BYTES) or held[job] < WORTH * total:
            return None
        self._quiet_until = time.monotonic() + GRACE
        return job, f"out of memory: it held {_of(held[job], total)}, the most of {len(held)} when the machine was full"


def prefer_as_victim() -> None:
    """For a cell's own process: where memory ends, the kernel is to take it and its children, not the runner."""
    file = Path("/proc/self/oom_score_adj")
    with contextlib.suppress(OSError, ValueError):  # only Linux has it; where it is refused, size alone decides
        file.write_text(str(max(VICTIM, int(file.read_text()))))


def kernel_kills(system: Path = Path("/")) -> int:
    """Processes that the kernel has ended for want of memory since it started; 0 where it does not say.

    A cell that ended by SIGKILL while this number rose has most likely run out of memory.
    """
    return dict(_numbers(system / "proc/vmstat")).get("oom_kill", 0)


def _groups(system: Path) -> Iterator[tuple[int, int]]:
    """(limit, used without what can be reclaimed) of each cgroup above this process that has a limit."""
    try:
        lines = (system / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, kind, path = line.split(":", 2)
        if kind == "":
            root, names, reclaimed = "sys/fs/cgroup", ("memory.max", "memory.current"), _RECLAIMED
        elif "memory" in kind.split(","):
            root, names = "sys/fs/cgroup/memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
            reclaimed = _RECLAIMED_V1
        else:
            continue
        here = Path(path.strip("/"))
        for above in [here, *here.parents]:
            folder = system / root / above
            limit, used = (_number(folder / name) for name in names)
            if limit is not None and used is not None and limit < 2**60:  # v1 says "none" as a huge number
                yield limit, used - sum(value for name, value in _numbers(folder / "memory.stat") if name in reclaimed)


def _number(file: Path) -> int | None:
    """A file's only number; None where it has none ("max"), or is not there (a container sees its own part alone)."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _numbers(file: Path) -> Iterator[tuple[str, int]]:
    """The lines "name number", with or without a colon and a unit (kB become bytes)."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        name, *rest = line.split()
        if rest and rest[0].isdigit():
            yield name.rstrip(":"), int(rest[0]) * (1024 if rest[1:] == ["kB"] else 1)


def _group_members(leaders: Iterable[int]) -> dict[int, set[int]]:
    """For each leader of a process group those that are in it: one look at all processes, however many are asked for.

    A process that leads no group has only itself: its group is the runner's own.
    """
    found = {leader: {leader} for leader in leaders}
    for pid in psutil.pids() if hasattr(os, "getpgid") else ():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if (leader := os.getpgid(pid)) in found:
                found[leader].add(pid)
    return found


def _family(pid: int, members: set[int]) -> set[int]:
    """These processes and all that descend from them."""
    found, waiting = set[int](), [pid, *members]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += _children(one)
    return found


def _children(pid: int) -> list[int]:
    if not _PROC:
        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []
    found = []
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    return found


def _held(pid: int) -> int:
    """What a process holds that the kernel cannot take back."""
    if _PROC:
        told = dict(_numbers(Path(f"/proc/{pid}/status")))
        return told.get("RssAnon", 0) + told.get("RssShmem", 0) + told.get("VmSwap", 0)
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _own_share(pid: int) -> int:
    """The same, but of pages that several processes share only a share."""
    told = dict(_numbers(Path(f"/proc/{pid}/smaps_rollup")))
    if "Pss_Anon" not in told:  # an older kernel, another system, or another user's process
        return _held(pid)
    return told["Pss_Anon"] + told["Pss_Shmem"] + told.get("SwapPss", 0)


def _of(held: float, of: float) -> str:
    """ "11.2 of 12.0 GiB"; in MiB where GiB would say nothing."""
    unit, name = (2**30, "GiB") if of >= 2**30 else (2**20, "MiB")
    return f"{held / unit:.1f} of {of / unit:.1f} {name}"
