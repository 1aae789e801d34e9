"""Whether a process that wrote down who it is still runs: by pid and start, never by a wall clock."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path

import psutil

from vlpbench.files import digest

__all__ = ["is_running", "start_of", "this_machine"]

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
_PIDS = _PROC / "self/ns/pid"


@functools.cache
def this_machine() -> str:
    """A hash that is equal for processes that can see each other: same machine, same start of it, same pid numbers.

    Two containers of one machine number their processes apart, so each counts as a machine.
    """
    boot = _BOOT.read_text(encoding="ascii").strip() if _BOOT.is_file() else ""
    pids = str(_PIDS.readlink()) if _PIDS.is_symlink() else ""
    return digest([platform.node(), boot, pids])[:16]


def start_of(pid: int) -> str | None:
    """When a process of this machine started, as the system counts; None: there is none, "": it may not be known.

    Linux counts from its own start; what psutil makes of it moves when somebody sets the clock. A process that has
    ended, but whose parent has not heard of it, is none.
    """
    if not (_PROC / "self/stat").is_file():
        return _start_by_psutil(pid)
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except PermissionError:
        return ""
    except OSError:
        return _hidden(pid)
    return None if fields[0] in "ZXx" else fields[19]


def is_running(pid: int, start: str) -> bool | None:
    """Whether the process with this pid is the one that started then, be it stopped; None where nobody may know."""
    found = start_of(pid)
    return None if found == "" else found == start


def _hidden(pid: int) -> str | None:
    """What can be said of a process that the system does not list: others' may be hidden (`hidepid`)."""
    try:
        os.kill(pid, 0)  # sends nothing
    except PermissionError:
        return ""
    except (OSError, OverflowError):
        return None
    return ""


def _start_by_psutil(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.AccessDenied:
        return ""
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return None
