"""A launcher under check: how one is made, what it is given to start, and what became of that."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from vlpbench.contract.launcher import Job, Launcher, Place, Started
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.launcher_job import Errand

__all__ = ["Desk", "LauncherSubject", "launcher_subject_of"]

_LOOK = 0.05
"""Seconds between two looks at a file."""


@dataclass(frozen=True)
class LauncherSubject:
    """A launcher, ready to be checked."""

    make: Callable[[Place], Launcher]
    """The class, or what builds one."""
    patience: float = 60.0
    """Seconds within which a job starts, or ends; more where jobs wait in a queue."""
    folder: Path | None = None
    """A folder that the machines of the launcher share with this one; None for a temporary one."""

    @property
    def author(self) -> Callable[[Place], Launcher]:
        """What is to be mended where a check fails."""
        return self.make

    @property
    def name(self) -> str:
        """What it is called."""
        return str(getattr(self.make, "name", getattr(self.make, "__name__", "launcher")))

    @contextlib.contextmanager
    def desk(self, place: Place) -> Iterator[Desk]:
        """A launcher at work in an empty folder; in the end nothing that it started runs on."""
        folder = Path(mkdtemp(prefix="launcher-", dir=self.folder)).resolve()
        desk = Desk(self.make(place), folder, self.patience)
        try:
            desk.launcher.warm_up()
            yield desk
        finally:
            try:
                desk.clear()
            finally:
                # Jobs that outlive all this end when they do not find it.
                shutil.rmtree(folder.rename(folder.with_suffix(".gone")))

    def running(self, place: Place) -> contextlib.AbstractContextManager[Desk]:
        """The same, for a launcher that runs jobs; CheckSkipped for one that does not."""
        if not getattr(self.make, "runs", True):
            raise CheckSkipped("runs-nothing")
        return self.desk(place)


@dataclass
class Desk:
    """One launcher, its jobs and their files."""

    launcher: Launcher
    folder: Path
    patience: float
    started: list[Started] = field(default_factory=list)

    def job(self, name: str, does: str, environment: Mapping[str, str] | None = None, **how: Any) -> Job:
        """A job, to be started as a command or as an order."""
        errand = Errand(does, str(self.folder), name, how)
        log = self.folder / "logs" / f"{name}.log"  # its folder is for whoever starts the job to make
        return Job(name, errand.command(), log, errand, dict(environment or {}))

    def start(self, job: Job, slot: int = 0) -> Started:
        """Start a job; remembered, so that it ends with the check."""
        one = self.launcher.start(job, slot)
        self.started.append(one)
        return one

    def code(self, one: Started, what: str) -> int:
        """How a job ended; CheckFailed where it does not."""
        end = time.monotonic() + self.patience
        while (code := one.ended()) is None:
            left = end - time.monotonic()
            if left < 0:
                cause = f"{what} has not ended after {self.patience:g} s"
                raise CheckFailed(cause, "ended() gives the exit code")
            self.launcher.wait([one], min(left, 1.0))
        return code

    def run(self, jobs: Sequence[Job]) -> dict[str, int]:
        """Run jobs in order, each in a free slot, as the runner does; exit codes by name."""
        waiting, running, codes = list(jobs), dict[int, tuple[Job, Started]](), dict[str, int]()
        end = time.monotonic() + self.patience
        while waiting or running:
            for slot in sorted(set(range(self.launcher.place.slots)) - running.keys())[: len(waiting)]:
                running[slot] = (waiting[0], self.start(waiting.pop(0), slot))
            self.launcher.wait([one for _, one in running.values()], 1.0)
            for slot, (job, one) in list(running.items()):
                code = one.ended()
                if code is not None:
                    codes[job.cell] = code
                    del running[slot]
                    end = time.monotonic() + self.patience
            if time.monotonic() > end:
                names = ", ".join(job.cell for job, _ in running.values())
                cause = f"jobs have not ended within {self.patience:g} s: {names}"
                raise CheckFailed(cause, "ended() gives the exit code once a job has ended")
        return codes

    def told(self, name: str, end: str = "note") -> Any:
        """What a job has written; CheckFailed where it did not write in time."""
        self.until(lambda: self.file(name, end).exists(), f"job {name!r} was not seen at work")
        return json.loads(self.file(name, end).read_text(encoding="utf-8"))

    def file(self, name: str, end: str) -> Path:
        """A job's file."""
        return self.folder / f"{name}.{end}"

    def until(self, there: Callable[[], bool], cause: str) -> None:
        """Wait until something is there; CheckFailed where it never is."""
        end = time.monotonic() + self.patience
        while not there():
            if time.monotonic() > end:
                remedy = "start() runs job.command or job.order"
                raise CheckFailed(f"{cause} within {self.patience:g} s", remedy)
            time.sleep(_LOOK)

    def beats(self, name: str) -> bool:
        """Whether a job's own process is still at work."""
        file = self.file(name, "beat")
        before = file.read_text(encoding="utf-8")
        time.sleep(0.5)
        return file.read_text(encoding="utf-8") != before

    def clear(self) -> None:
        """End all that runs."""
        for one in self.started:
            one.kill()
        end = time.monotonic() + min(5.0, self.patience)
        for one in self.started:
            while one.ended() is None and time.monotonic() < end:
                time.sleep(_LOOK)
        self.launcher.close()


def launcher_subject_of(given: Any) -> LauncherSubject:
    """A LauncherSubject as it is; a launcher class, or what makes a launcher of a place, with the usual patience."""
    if isinstance(given, LauncherSubject):
        return given
    if callable(given):
        return LauncherSubject(given)
    raise TypeError(f"a launcher class is checked, not {given!r}")
