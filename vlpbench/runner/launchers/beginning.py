"""What a child of the fork server does before its order, and what it leaves behind: nothing that runs on."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from typing import Any, NoReturn, TextIO

import psutil

from vlpbench.runner.memory import prefer_as_victim

__all__ = ["DEAF", "STOPPED", "Beginning", "begin"]

DEAF = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})
"""Signals that a terminal, or `timeout`, sends to a whole group; the fork server and children just born hear none."""

_SET_CHILD_SUBREAPER = 36  # of linux/prctl.h

STOPPED = 143
"""Exit code of a child that was asked to stop before its work had begun."""


@dataclass(frozen=True)
class Beginning:
    """How a child is to start."""

    log: str
    """The file that all output goes to."""
    environment: Mapping[str, str]
    """All its variables: a fork server has those of when it was started."""
    core: int | None
    """The core to stay on; None leaves that to the system."""
    grace: float
    """Seconds to end by itself once its runner is gone."""
    order: bytes
    """What to call, as multiprocessing packs it: opened after all else is in place."""


def begin(first: Beginning) -> NoReturn:
    """Make this process one that stands alone, call its order, and end with the order's exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides when to stop
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(STOPPED))
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, DEAF)
    _speak_into(first.log)
    os.environ.clear()
    os.environ.update(first.environment)
    if first.core is not None:
        os.sched_setaffinity(0, {first.core})
    prefer_as_victim()
    _adopt()
    runner = multiprocessing.parent_process()
    assert runner is not None
    threading.Thread(target=_watch, args=(runner.sentinel, first.grace), name="runner", daemon=True).start()
    code = _called(first.order)
    sys.stdout.flush()
    sys.stderr.flush()
    _end_descendants()
    if wait([runner.sentinel], 0):  # nobody will look after what this child has started
        os.killpg(0, signal.SIGKILL)
    os._exit(code)  # a thread that was left behind must not keep the slot


def _adopt() -> None:
    """Have what a descendant leaves running become a child of this process, however often it forked (Linux)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)


def _end_descendants() -> None:
    """End all that this process has started, in whatever session: nobody waits for it any more."""
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            one.kill()


def _speak_into(log: str) -> None:
    """All that is said from here on goes to the log: by Python, by C code, by processes that are started."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for standard in (1, 2):
        os.dup2(file, standard)
    os.close(file)
    sys.stdout, sys.stderr = _stream(1), _stream(2)
    faulthandler.enable()


def _stream(standard: int) -> TextIO:
    """A stream that says each line at once, and any letter in any locale."""
    return open(standard, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _called(order: bytes) -> int:
    """The exit code: the order's own, that of a `sys.exit` inside it, 1 for anything else that it raises."""
    try:
        call: Callable[[], int] = ForkingPickler.loads(order)
        return call()
    except SystemExit as asked:
        return _exit_code(asked.code)
    except BaseException:  # noqa: BLE001 (a stranger's code may raise anything)
        traceback.print_exc()
        return 1


def _exit_code(code: Any) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)  # noqa: T201 (as an interpreter does)
    return 1


def _watch(runner: int, grace: float) -> None:
    """Once the runner is gone, have this process stop as if asked to; after the grace, end it with all it started."""
    wait([runner])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os.killpg(0, signal.SIGKILL)
