"""What a run is doing, on stderr: one line an event, and on a terminal one line that moves."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from vlpbench.runner.events import Event

__all__ = ["Progress"]


class Progress:
    """Listens to a run and tells of it."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.moves = sys.stderr.isatty()
        self.start = time.monotonic()
        self.stages: dict[str, str] = {}
        self.now: dict[str, str] = {}
        self.ended = 0

    def heard(self, event: Event) -> None:
        """One thing that happened; of a cell without a name nothing is said."""
        if event.cell and event.cell not in self.names:
            return
        name = self.names.get(event.cell, "")
        share = f" {100 * event.done // event.of} %" if event.of else ""
        if event.what in ("progress", "preparing"):
            if self.stages.get(event.cell) != event.said:
                self.stages[event.cell] = event.said
                self._line(f"{name or event.what}: {event.said}")
            self.now[event.cell] = f"{name or 'preparing'}: {event.said}{share}"
            self._move()
            return
        self.now.pop("", None)
        self.now.pop(event.cell, None)
        if event.what in ("done", "failed", "skipped", "reused"):
            self.ended += 1
            word = {"reused": "was done before", "skipped": "can't run"}.get(event.what, event.what)
            self._line(f"[{self.ended}/{len(self.names)}] {name}: {word}{': ' if event.said else ''}{event.said}")

    def close(self, ends: Mapping[str, int], results: Path) -> None:
        """The last line: how the cells ended, and where their records are."""
        counts = ", ".join(f"{number} {word}" for word, number in sorted(ends.items()) if number)
        self.now.clear()
        self._line(f"{counts}; records in {results}")

    def _line(self, text: str) -> None:
        seconds = int(time.monotonic() - self.start)
        clear = "\r\x1b[2K" if self.moves else ""
        print(f"{clear}{seconds // 60:3}:{seconds % 60:02}  {text}", file=sys.stderr, flush=True)  # noqa: T201
        self._move()

    def _move(self) -> None:
        if self.moves and self.now:
            text = "  |  ".join(self.now.values())[:110]
            print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)  # noqa: T201
