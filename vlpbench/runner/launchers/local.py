"""Cells on this machine: each is a child of a fork server that has torch in memory, and a session of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from typing import Any, ClassVar, cast

import psutil

from vlpbench.contract.launcher import Job, Launcher, Place, Started
from vlpbench.runner.launchers.beginning import DEAF, Beginning, begin
from vlpbench.runner.launchers.logs import shorten
from vlpbench.runner.memory import held_bytes

__all__ = ["Local"]

_PRELOADED = ["vlpbench.runner.worker", "vlpbench.runner.launchers.beginning", "timm.models.resnet"]
"""timm, which loads torchvision and much of torch, is for cells alone: the runner itself starts without it."""
_SERVER_GONE = 255  # multiprocessing's word for a child whose fork server has died, whether it runs on or not
_MARK = "VLPBENCH_JOB"  # the variable by which what a job has started is known, wherever it has gone
_LOOK = 1.0  # seconds between two looks at the length of logs


class Local(Launcher):
    """Child processes of this machine."""

    name = "local"
    grace: ClassVar[float] = 600.0
    """Seconds that a child has to finish its step and write a checkpoint when its runner was killed."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        method = "forkserver" if sys.platform.startswith("linux") else "spawn"
        self._context: Any = multiprocessing.get_context(method)
        if method == "forkserver":
            self._context.set_forkserver_preload(_PRELOADED)

    def warm_up(self) -> None:
        """Let the fork server load torch and timm by itself while the caller goes on."""
        resource_tracker.ensure_running()  # first: while it starts, it lets signals through again
        if self._context.get_start_method() == "forkserver":
            with _deaf():
                forkserver.ensure_running()

    def start(self, job: Job, slot: int) -> Started:
        """Start a job; OSError where its log cannot be written."""
        if job.order is None:
            raise ValueError(f"job {job.cell!r} has no order, and {self.name!r} runs no commands")
        job.log.parent.mkdir(parents=True, exist_ok=True)
        job.log.open("ab").close()
        mark = f"{job.cell}-{secrets.token_hex(8)}"
        environment = {**os.environ, **job.environment, **self.place.variables(slot), _MARK: mark}
        order = bytes(ForkingPickler.dumps(job.order))
        first = Beginning(os.fspath(job.log.absolute()), environment, self._core(slot), self.grace, order)
        process = self._context.Process(target=begin, args=(first,), name=f"cell {job.cell}")
        self.warm_up()  # where the server has died, it is started again
        if self._context.get_start_method() == "forkserver":
            process.start()  # heard from here on: the server may load for seconds
        else:
            with _deaf():
                process.start()
        return _Child(process, job, mark)

    def _core(self, slot: int) -> int | None:
        """The core of a slot: cells on a CPU compute with one thread.

        None unless each core has its cell: with cores to spare, the system knows better which are free, as another
        runner may use them too.
        """
        if self.place.device != "cpu" or not hasattr(os, "sched_getaffinity"):
            return None
        cores = sorted(os.sched_getaffinity(0))
        return cores[slot] if self.place.slots == len(cores) else None

    def wait(self, started: Sequence[Started], seconds: float) -> None:
        """Return at once when a job ends, or after so many seconds; meanwhile no log grows without end."""
        children = cast("Sequence[_Child]", started)
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, end - time.monotonic())
            ready = wait([one.process.sentinel for one in children], min(left, _LOOK))
            for one in children:
                shorten(one.job.log)
            if ready or left == 0.0:
                return


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """A process that is started in here hears no signal of its group, nor do its children until they say otherwise."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Child(Started):
    """One child, the leader of its process group."""

    def __init__(self, process: Any, job: Job, mark: str) -> None:
        self.process, self.job, self.mark = process, job, mark
        self._code: int | None = None
        try:
            self._leader: psutil.Process | None = psutil.Process(process.pid)
        except psutil.NoSuchProcess:  # it has ended already
            self._leader = None

    def ended(self) -> int | None:
        if self._code is None and (code := self.process.exitcode) is not None:
            self._code = -signal.SIGKILL if code == _SERVER_GONE and self._lives() else code
            self._kill_all()  # what it has left running would hold the memory of the next
            self.process.join()
            shorten(self.job.log)
        return self._code

    def stop(self) -> None:
        if self.ended() is None:
            self.process.terminate()

    def kill(self) -> None:
        if self.ended() is None:
            self._kill_all()

    @property
    def pid(self) -> int | None:
        return int(self.process.pid) if self.ended() is None else None

    def bytes_held(self) -> int:
        return 0 if self.pid is None else held_bytes(self.pid)

    def _lives(self) -> bool:
        try:
            return self._leader is not None and self._leader.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def _family(self) -> list[psutil.Process]:
        """The child and all that it has started, those in sessions of their own too."""
        if self._leader is None or not self._leader.is_running():
            return []
        try:
            return [self._leader, *self._leader.children(recursive=True)]
        except psutil.NoSuchProcess:
            return [self._leader]

    def _strays(self) -> Iterator[psutil.Process]:
        """Programs that it has started and that outlive it: they have its mark among their variables."""
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):  # it has ended, or is not ours to look into
                if one.environ().get(_MARK) == self.mark:
                    yield one

    def _kill_all(self) -> None:
        family = [*self._family(), *self._strays()]
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                one.kill()
