"""What a run is doing, on stderr: on a terminal a view that moves, elsewhere a line an event; and how long it takes."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Self

from vlpbench.cli.bars import Bars, Line, Picture
from vlpbench.cli.durations import clock, roughly, until
from vlpbench.cli.paces import Window
from vlpbench.cli.time_left import TimeLeft, Work
from vlpbench.runner.events import Event

__all__ = ["Progress"]

QUIET = 15.0
"""Seconds without a line after which one tells how far things are, where there is no moving view."""

LONGEST = 400
"""Characters of a sentence that are shown; a plugin's error may be megabytes, and its record has all of it."""

_ENDS = {
    "done": "done", "failed": "FAILED", "timeout": "TIMEOUT", "skipped": "can't run", "taken": "another run has it",
}


@dataclass
class _Now:
    """What a cell does right now."""

    slot: int
    event: Event
    steps: Window = field(default_factory=Window)


class Progress:
    """Listens to a run and tells of it; `with` leaves the terminal clean, whatever happens inside."""

    def __init__(self, names: Mapping[str, str], work: Work, jobs: int = 0) -> None:
        """`names` of the cells by their ids; `jobs` cells run at once, 0 is as many as are seen to."""
        self.names, self.left = names, TimeLeft(work, jobs)
        self.start = self.spoken = time.monotonic()
        self.now: dict[str, _Now] = {}
        self.ends: dict[str, str] = {}
        self.reused = 0
        self.notice = ""
        self._lock = RLock()
        moving = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.bars = Bars(self.picture) if moving else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bars is not None:
            self.bars.close()

    def heard(self, event: Event) -> None:
        """One thing that happened; of a cell without a name nothing is said."""
        if event.cell and event.cell not in self.names:
            return
        event = replace(event, said=_plain(event.said))
        with self._lock:  # the view asks from a thread of its own
            self.left.heard(event)
            lines = [*self._take(event)]
        if self.bars is not None:
            self.bars.begin()
        for line in lines:  # outside: printing waits for the view, which may wait for the lock
            self._line(line)

    def _take(self, event: Event) -> Iterator[str]:
        """Note what happened; gives the lines that are to be printed."""
        name = self.names.get(event.cell, "preparing")
        if event.what == "reused":
            self.ends[event.cell] = "done"
            self.reused += 1
            return
        if self.reused:
            yield self._before()
        if event.what in _ENDS:
            yield self._end(name, event)
        elif event.what == "stopped":
            self.now.pop(event.cell, None)
            yield f"{name}: stopped{_why(event)}"
        elif event.what == "retried":
            self.now.pop(event.cell, None)
            yield f"{name}: tried again{_why(event)}"
        elif event.what == "stopping":
            self.notice = "stopping"
            yield f"stopping{_why(event)}"
        elif event.what == "warning":
            yield f"warning: {name + ': ' if event.cell else ''}{event.said}"
        else:
            yield from self._going_on(name, event)

    def _going_on(self, name: str, event: Event) -> Iterator[str]:
        """Started, preparing, progress, waiting. What waits and was not started is not ours to show."""
        if event.cell:
            self.now.pop("", None)  # what was to be prepared is
            self.ends.pop(event.cell, None)
        one = self.now.get(event.cell)
        if one is None and event.what == "waiting":
            yield f"{name}: {event.said}"
            return
        if one is None:
            taken = {other.slot for other in self.now.values()}
            slot = next(number for number in range(len(taken) + 1) if number not in taken)
            one = self.now[event.cell] = _Now(slot, Event("started"))
        said = event.said or "started"
        news = said != one.event.said
        if news:
            one.steps = Window()
        if event.of:
            one.steps.add(time.monotonic(), event.done)
        figures = event.figures or ({} if news else one.event.figures)
        one.event = replace(event, said=said, figures=figures, bytes_held=event.bytes_held or one.event.bytes_held)
        if self.bars is not None:
            return
        if news:
            yield f"{name}: {said}"
        elif event.what == "progress" and time.monotonic() - self.spoken > QUIET:
            yield f"{self._how_far()}: {'; '.join(_told(line) for line in self._lines())}"

    def _end(self, name: str, event: Event) -> str:
        self.now.pop("", None)
        self.now.pop(event.cell, None)
        self.ends[event.cell] = event.what
        return f"[{len(self.ends)}/{len(self.names)}] {name}: {_ENDS[event.what]}{_why(event)} ({self._how_far()})"

    def _before(self) -> str:
        """One line for all cells that earlier runs have done: there may be a thousand."""
        many, self.reused = self.reused, 0
        return f"[{len(self.ends)}/{len(self.names)}] {many} {'cell was' if many == 1 else 'cells were'} done before"

    def close(self, ends: Mapping[str, int], results: Path) -> None:
        """The last line: how the cells ended, and where their records are."""
        if self.bars is not None:
            self.bars.close()
        if self.reused:
            self._line(self._before())
        order = ["done", "failed", "timeout", "can't run", *sorted(ends)]
        counts = ", ".join(f"{ends[word]} {word}" for word in dict.fromkeys(order) if ends.get(word))
        self._line(f"{counts or 'no cells'}; records in {results}")

    def picture(self) -> Picture:
        """What is to be seen right now."""
        with self._lock:
            left = self.left.seconds()
            said = self.notice or ("" if left is None else f"{roughly(left)} left, until {until(left)}")
            return Picture([*self._lines()], self.left.share, said, self._counts())

    def _lines(self) -> Iterator[Line]:
        moment = time.monotonic()
        for cell, one in sorted(self.now.items(), key=lambda item: item[1].slot):
            event = one.event
            yield Line(
                self.names.get(cell, "preparing"), event.said, event.done, event.of, event.figures.get("loss"),
                one.steps.speed(moment), self.left.seconds_of(cell), event.bytes_held,
                waits=not event.of and (not cell or self.left.waits(cell)),
            )

    def _counts(self) -> str:
        ends = Counter(self.ends.values())
        runs = sum(not self.left.waits(cell) for cell in self.now if cell)
        numbers = {
            "failed": ends["failed"], "out of time": ends["timeout"], "of another run": ends["taken"],
            "can't run": ends["skipped"], "running": runs, "waiting": len(self.names) - len(self.ends) - runs,
        }
        told = [f"{number} {word}" for word, number in numbers.items() if number]
        return ", ".join([f"{ends['done']} of {len(self.names)} done", *told])

    def _how_far(self) -> str:
        return f"{self.left.share:.0%} done, {self.notice}" if self.notice else str(self.left)

    def _line(self, text: str) -> None:
        self.spoken = time.monotonic()
        line = f"{clock(self.spoken - self.start):>6}  {text}"
        if self.bars is not None:
            self.bars.line(line)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201


def _told(line: Line) -> str:
    """A cell in a clause."""
    steps, loss, speed = line.words()[:3]
    return " ".join(word for word in (f"{line.name}: {line.stage}", steps, loss, speed) if word)


def _why(event: Event) -> str:
    return f": {event.said}" if event.said else ""


def _plain(text: str) -> str:
    """On one line, without what a terminal would take for an order, and not too long."""
    said = " ".join("".join(one if one.isprintable() else " " for one in text[: 2 * LONGEST]).split())
    return said if len(said) <= LONGEST else f"{said[:LONGEST].rstrip()} ..."
