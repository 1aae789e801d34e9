"""What a run is doing, on stderr: a line an event, how long it still takes, and on a terminal one line that moves."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from vlpbench.cli.bars import WHOLE, Bars
from vlpbench.cli.time_left import TimeLeft, Work
from vlpbench.runner.events import Event

__all__ = ["Progress"]

QUIET = 15.0
"""Seconds without a line after which one tells how far things are, where there is no moving line."""

_ENDS = {"done": "done", "failed": "FAILED", "skipped": "can't run", "reused": "was done before"}


class Progress:
    """Listens to a run and tells of it."""

    def __init__(self, names: Mapping[str, str], work: Work) -> None:
        self.names = names
        self.left = TimeLeft(work)
        self.bars = Bars() if sys.stderr.isatty() else None
        self.start = self.spoken = time.monotonic()
        self.stages: dict[str, str] = {}
        self.now: dict[str, str] = {}
        self.ended = 0

    def heard(self, event: Event) -> None:
        """One thing that happened; of a cell without a name nothing is said."""
        if event.cell and event.cell not in self.names:
            return
        self.left.heard(event)
        name = self.names.get(event.cell, "preparing")
        if event.what in _ENDS:
            self._end(name, event)
        elif event.what == "warning":
            self._line(f"warning: {event.said}")
        elif event.what in ("progress", "preparing"):
            self._going_on(name, event)

    def _going_on(self, name: str, event: Event) -> None:
        share = event.done / event.of if event.of else 0.0
        loss = f" loss {event.figures['loss']:.3f}" if "loss" in event.figures else ""
        if event.cell:
            self.now.pop("", None)  # what was to be prepared is
        self.now[event.cell] = f"{name}: {event.said} {share:.0%}{loss}"
        if self.stages.get(event.cell) != event.said:
            self.stages[event.cell] = event.said
            self._line(f"{name}: {event.said}")
        if self.bars is not None:
            if event.cell:
                self.bars.show(WHOLE, "all cells", self.left.share, str(self.left))
                self.bars.drop("preparing")
            self.bars.show(event.cell or "preparing", name, share, f"{event.said} {share:.0%}{loss}")
        elif event.what == "progress" and time.monotonic() - self.spoken > QUIET:
            self._line(f"{'; '.join(self.now.values())} ({self.left})")

    def _end(self, name: str, event: Event) -> None:
        self.now.pop("", None)
        self.now.pop(event.cell, None)
        if self.bars is not None:
            self.bars.drop(event.cell)
        self.ended += 1
        why = f": {event.said}" if event.said else ""
        self._line(f"[{self.ended}/{len(self.names)}] {name}: {_ENDS[event.what]}{why} ({self.left})")

    def close(self, ends: Mapping[str, int], results: Path) -> None:
        """The last line: how the cells ended, and where their records are."""
        if self.bars is not None:
            self.bars.close()
        counts = ", ".join(f"{number} {word}" for word, number in sorted(ends.items()) if number)
        self._line(f"{counts}; records in {results}")

    def _line(self, text: str) -> None:
        self.spoken = time.monotonic()
        line = f"{_clock(self.spoken - self.start)}  {text}"
        if self.bars is not None:
            self.bars.line(line)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:3}:{int(seconds) % 60:02}"
