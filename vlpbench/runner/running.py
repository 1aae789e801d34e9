"""Cells that were started in one process: how far they are, whether they must be ended, and what each has left."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vlpbench.contract.launcher import Started
from vlpbench.grid import Cell
from vlpbench.records import Claims
from vlpbench.registry import Registry
from vlpbench.runner.cause import plain
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.folding import Group
from vlpbench.runner.memory import kernel_kills
from vlpbench.runner.worker import DONE, FAILED, STOPPED, TAKEN, claim_name

__all__ = ["End", "Running"]

_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP)
"""Exit codes of processes that somebody else has ended: a person, a queue, a kernel without memory."""

_LAST = 4096
"""Bytes at the end of a log in which its last line is looked for."""

GRACE = 30.0
"""Seconds that a cell has to end by itself once it was told to."""


@dataclass(frozen=True)
class End:
    """How a cell ended, as its process left it."""

    what: str
    """ "done", "failed", "timeout", "taken" (another process has it), "stopped" (it goes on in the next run), "killed"
    (from outside, which says nothing of the cell)."""
    said: str = ""
    """The cause."""
    own: bool = field(default=False, compare=False)
    """Whether the cell of a group left a record of its failure itself: the others had no part in it."""


@dataclass
class Running:
    """One started process and its cells."""

    group: Group
    slot: int
    started: Started
    results: Path
    since: float = field(default_factory=time.monotonic)
    ending: End | None = None
    """Why it is being ended from outside."""
    asked: float | None = None
    """When it was asked to end by itself."""
    held: int = 0
    """The most memory that it was seen to hold, in bytes."""
    kills: int = field(default_factory=kernel_kills)
    """Processes that the kernel had ended for want of memory when it was started."""
    _told: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = self._log_size()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What it runs."""
        return self.group.cells

    def events(self, claims: Claims) -> Iterator[Event]:
        """How far each cell is, if that is news; memory is told in equal parts."""
        held = self.started.bytes_held()
        self.held = max(self.held, held)
        for cell in self.cells:
            holder = claims.holder(claim_name(cell))
            if holder is None or not holder.stage:
                continue
            news = (holder.stage, holder.done, holder.of)
            if news != self._told.get(cell.id):
                self._told[cell.id] = news
                figures = dict(holder.figures)
                on_device = int(figures.pop("bytes_held", 0))
                memory = (on_device or held) // len(self.cells)
                yield Event("progress", cell.id, holder.stage, holder.done, holder.of, figures, memory)

    def end(self, why: End, grace: float = GRACE) -> None:
        """Ask it to end by itself, where `why` is how it then ended; kill it if it has not after its grace."""
        self.ending = self.ending or why
        if self.asked is None:
            self.asked = time.monotonic()
            self.started.stop()
        elif time.monotonic() - self.asked > grace:
            self.started.kill()

    def kill(self, why: End = End("stopped")) -> None:
        """End it now."""
        self.ending = self.ending or why
        self.started.kill()

    def buried(self, registry: Registry) -> dict[str, End] | None:
        """How each cell ended, by its id, with a record left of every failure; None while the process runs."""
        code = self.started.ended()
        if code is None:
            return None
        self.started.kill()  # what it has started and left behind
        return {cell.id: self._end_of(cell, code, registry) for cell in self.cells}

    def _end_of(self, cell: Cell, code: int, registry: Registry) -> End:
        folder, several = folder_of(cell, self.results), len(self.cells) > 1
        state = folder.state()
        if state == "done":
            return End("done")
        if state == "failed" and several:  # whatever became of the others
            return End("failed", str(folder.status().get("cause", "")), own=True)
        if self.ending is not None:
            return self.ending if self.ending.what == "stopped" else self.recorded(cell, self.ending, registry)
        if code == TAKEN or (code == FAILED and several):  # the code is that of the first that is not done
            return End("taken")
        if code == STOPPED:
            return End("stopped")
        if code in (DONE, FAILED) and state == "failed":
            return End("failed", str(folder.status().get("cause", "")))
        if code == -signal.SIGKILL and kernel_kills() > self.kills:
            said = f"out of memory: the kernel ended it; it was seen to hold {self.held / 2**30:.1f} GiB"
            return self.recorded(cell, End("failed", said), registry)
        if code in _FROM_OUTSIDE:
            return End("killed", self._death(code))
        return self.recorded(cell, End("failed", self._death(code)), registry)

    def _death(self, code: int) -> str:
        """The cause, for a process that left no record."""
        if code >= 0:
            how = f"exit code {code}"
        else:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            how = f"signal {name}"
        hint = f", holding {self.held / 2**30:.1f} GiB" if code == -signal.SIGKILL else ""
        said = self._last_line()
        last = f", its log ends with {said!r}" if said else ""
        return f"the process ended without a word ({how}{hint}){last}; see {self._log.parent.name}/{self._log.name}"

    @property
    def _log(self) -> Path:
        return folder_of(self.cells[0], self.results).path / "log.txt"

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.is_file() else 0

    def _last_line(self) -> str:
        """What its process said last, since it was started; empty where it said nothing."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, self._log_size() - _LAST, min(self._before, self._log_size())))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        said = [" ".join(line.split()) for line in lines if line.strip() and not line.strip().startswith("to do:")]
        return plain(said[-1], 200) if said else ""

    def recorded(self, cell: Cell, end: End, registry: Registry) -> End:
        """The same, written down; where that is not possible the cause says so."""
        folder = folder_of(cell, self.results)
        try:
            if not (folder.path / "settings.json").is_file():  # it had not even begun
                folder.begin(described(cell, registry))
            folder.fail(end.said, {"held_bytes": self.held}, {}, "timeout" if end.what == "timeout" else "failed")
        except OSError as wrong:
            return End(end.what, f"{end.said}; no record of it could be written: {wrong.strerror or wrong}")
        return end
