"""The small jobs that launchers are checked with: `python launcher_job.py JSON`, or an order that is called.

It needs nothing but Python, so that a launcher that runs commands is checked without vlpbench on its machines. All
that runs for long ends by itself when its folder is gone.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["STOPPED", "Errand"]

STOPPED = 143
"""Exit code of a job that was asked to stop and has."""

_STEP = 0.02  # seconds


@dataclass(frozen=True)
class Errand:
    """One deed, done in a folder that whoever checks can read."""

    does: str
    """Which deed."""
    folder: str
    """Where it leaves its files."""
    name: str
    """How their names begin."""
    how: Mapping[str, Any] = field(default_factory=dict)
    """What the deed must be told."""

    def __call__(self) -> int:
        """Do it; the exit code."""
        return _DEEDS[self.does](self, **self.how)

    def command(self) -> tuple[str, ...]:
        """What does the same in a process of its own."""
        return (sys.executable, "-I", os.path.abspath(__file__), json.dumps(asdict(self)))  # noqa: PTH100

    def file(self, end: str) -> Path:
        """One of its files."""
        return Path(self.folder, f"{self.name}.{end}")

    def write(self, end: str, told: Any) -> None:
        """Leave a file, whole or not at all."""
        part = Path(self.folder, f"{self.name}.{end}.part")
        part.write_text(json.dumps(told), encoding="utf-8")
        part.replace(self.file(end))

    def wanted(self) -> bool:
        """Whether somebody still looks at what it does."""
        return Path(self.folder).is_dir()

    def beating(self) -> subprocess.Popen[bytes]:
        """A process of its own that leaves a file again and again, and that SIGTERM ends."""
        return subprocess.Popen(Errand("beat", self.folder, self.name).command())


def _note(errand: Errand, code: int = 0, seconds: float = 0.0) -> int:
    """Write down when it ran and what it saw."""
    began = time.time()
    time.sleep(seconds)
    told = {"environment": dict(os.environ), "folder": str(Path.cwd()), "began": began, "ended": time.time()}
    errand.write("note", told)
    return code


def _meet(errand: Errand, other: str, seconds: float) -> int:
    """Wait for another that waits for this one."""
    errand.write("here", time.time())
    end = time.monotonic() + seconds
    while time.monotonic() < end and errand.wanted():
        if Path(errand.folder, f"{other}.here").exists():
            return 0
        time.sleep(_STEP)
    return 9


def _spoil(errand: Errand) -> int:
    """Leave its own process as no other job should find one."""
    os.environ["VLPBENCH_KIT_SPOILT"] = "yes"
    os.environ.pop("PATH", None)
    os.chdir("/")
    errand.write("note", {})
    return 0


def _say(errand: Errand, words: str, megabytes: int = 0) -> int:
    """Speak by all ways there are; much, where asked to."""
    sys.stdout.write(f"{words} by the stream\n")
    sys.stdout.flush()
    os.write(1, f"{words} by the first descriptor\n".encode())
    os.write(2, f"{words} by the second descriptor\n".encode())
    line = "x" * 1023 + "\n"
    for _ in range(megabytes):
        sys.stdout.write(line * 1024)
    sys.stdout.flush()
    subprocess.run([sys.executable, "-I", "-c", f"print({words + ' by a child'!r})"], check=True)
    errand.write("note", {})
    return 0


def _die(errand: Errand) -> int:
    """Be ended by a signal that cannot be heard."""
    errand.write("note", {})
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _hang(errand: Errand) -> int:
    """Hear nothing, and have a process that runs as well."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    errand.beating()
    while errand.wanted():
        time.sleep(_STEP)
    return 0


def _abandon(errand: Errand) -> int:
    """End, but leave a process running."""
    errand.beating()
    while not errand.file("beat").exists() and errand.wanted():
        time.sleep(_STEP)
    return 0


def _beat(errand: Errand) -> int:
    while errand.wanted():
        try:
            errand.write("beat", time.time())
        except FileNotFoundError:  # between the question and the answer
            return 0
        time.sleep(_STEP)
    return 0


def _count(errand: Errand, to: int) -> int:
    """Count on from where it was, a step at a time, as a training goes on from its checkpoint."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    child = errand.beating()
    starts = _read(errand, "starts", [])
    number = _read(errand, "count", 0)
    errand.write("starts", [*starts, number])
    while number < to and not asked and errand.wanted():
        time.sleep(_STEP)
        number += 1
        errand.write("count", number)
    if asked:
        time.sleep(10 * _STEP)  # a checkpoint takes a while
        errand.write("stopped", {"count": number, "child": child.poll() is None})
    child.kill()
    child.wait()
    return STOPPED if asked else 0


def _read(errand: Errand, end: str, otherwise: Any) -> Any:
    file = errand.file(end)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else otherwise


_DEEDS: Mapping[str, Callable[..., int]] = {
    "note": _note, "meet": _meet, "spoil": _spoil, "say": _say, "die": _die, "hang": _hang,
    "abandon": _abandon, "beat": _beat, "count": _count,
}

if __name__ == "__main__":
    sys.exit(Errand(**json.loads(sys.argv[1]))())
