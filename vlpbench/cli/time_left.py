"""How long a run still takes: work that is left, at the paces that were seen, on the slots that it has."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import exp

from vlpbench.cli.durations import roughly
from vlpbench.cli.forecast import Ahead, seconds_ahead
from vlpbench.cli.paces import Paces, Window
from vlpbench.cli.work import Part, Work, asking, work_of
from vlpbench.runner.events import Event

__all__ = ["TimeLeft", "Work", "work_of"]

ENOUGH = 3.0
"""Seconds of measured work before anything is said."""

TRUST = 10.0
"""Seconds of its own after which a part's own pace counts as much as that of others like it."""

ENDS = ("done", "failed", "timeout", "skipped", "reused", "taken", "stopped")
"""After these a cell is nothing that this run still does."""

OVERDUE = 0.1
"""What takes longer than was guessed is said to take this part of its silence still: more and more, never nothing."""


class TimeLeft:
    """Listens to a run and tells the seconds that are left."""

    def __init__(self, work: Work, jobs: int = 0) -> None:
        """`jobs` cells run at once; 0 is as many as were seen to."""
        self.work, self.jobs = work, jobs
        self.paces = Paces(1.0 if work.in_seconds else None)
        self.ended: set[str] = set()
        self.running: dict[str, _Running] = {}
        self._parts = {part.key: part for parts in work.parts.values() for part in parts}
        self.done = dict.fromkeys(self._parts, 0.0)
        self._looked = 0.0
        self._end: float | None = None
        self._raw = 0.0

    def heard(self, event: Event) -> None:
        """Note what is done, and when."""
        parts, now = self.work.parts.get(event.cell), time.monotonic()
        if parts is None:
            return
        if event.what in ENDS:
            self._close(event, now)
        elif event.what == "retried":
            self.running.pop(event.cell, None)
        elif event.what in ("started", "progress", "waiting"):
            self.ended.discard(event.cell)
            one = self.running.setdefault(event.cell, _Running(parts, self.done, self.paces, now))
            one.here = one.here or event.what != "waiting"  # what waits and never was started runs in another run
            self.jobs = max(self.jobs, sum(one.here for one in self.running.values()))
            if event.what == "waiting":
                one.waits()
            elif event.what == "progress":
                one.progress(event.said, event.done / event.of if event.of else None, now)
        self._look(now)

    def _close(self, event: Event, now: float) -> None:
        """A cell is over; what it leaves undone and no other needs is not left to do."""
        one = self.running.pop(event.cell, None)
        if event.what == "done" and one is not None:
            one.over(len(one.parts), now)
        self.ended.add(event.cell)
        parts = self.work.parts[event.cell]
        needed = {part.key for cell, theirs in self.work.parts.items() if cell not in self.ended for part in theirs}
        self.done.update({part.key: 1.0 for part in parts if part.key not in needed or event.what == "done"})

    @property
    def share(self) -> float:
        """Part of the work that is done, 0 to 1, by the time it takes as far as that is known."""
        whole = done = 0.0
        for part in self._parts.values():
            weight = part.units * (self.paces.a_unit(part.kind, part.shape) or 1.0)
            whole += weight
            done += weight * self.done[part.key]
        return done / whole if whole else 1.0

    def seconds(self) -> float | None:
        """Seconds left for the whole run; None until there is a pace."""
        if len(self.ended) == len(self.work.parts):
            return 0.0
        now = time.monotonic()
        self._look(now)
        if self._end is None:
            return None
        return max(self._end - now, self._raw / 3)

    def seconds_of(self, cell: str) -> float | None:
        """Seconds left for a cell that runs; None until there is a pace, or where it does not run."""
        if cell not in self.running or not self._known():
            return None
        return sum(seconds for _, seconds in self._ahead(cell, time.monotonic()).parts)

    def waits(self, cell: str) -> bool:
        """Whether a cell waits for what another process does."""
        return cell in self.running and self.running[cell].waiting

    def __str__(self) -> str:
        left = self.seconds()
        if left is None:
            return f"{self.share:.0%} done"
        return f"{self.share:.0%} done, about {roughly(left)} left"

    def _known(self) -> bool:
        return self.work.in_seconds or self.paces.seconds >= ENOUGH

    def _look(self, now: float) -> None:
        """Guess the end anew, at most once a second; what is said moves to a new guess within seconds, not at once."""
        if not self._known() or now - self._looked < 1:
            return
        runs = sorted(self.running, key=lambda cell: self.running[cell].waiting)  # who waits comes last
        pending = [cell for cell in self.work.parts if cell not in self.ended and cell not in self.running]
        self._raw = seconds_ahead([self._ahead(cell, now) for cell in [*runs, *pending]], self.jobs)
        if self._end is None:
            self._end = now + self._raw
        lag = min(60.0, 5 + 0.05 * self._raw)
        self._end += (now + self._raw - self._end) * (1 - exp((self._looked - now) / lag))
        self._looked = now

    def _ahead(self, cell: str, now: float) -> Ahead:
        """The parts of a cell that are not over, in seconds."""
        one = self.running.get(cell)
        if one is None:
            return Ahead([(part.key, self._guess(part)) for part in self.work.parts[cell] if self.done[part.key] < 1])
        parts = one.parts[one.at:]
        return Ahead([
            (part.key, one.left(self._guess(part), now) if number == 0 else self._guess(part))
            for number, part in enumerate(parts) if self.done[part.key] < 1
        ], "slot" if one.here else "elsewhere")

    def _guess(self, part: Part) -> float:
        """Seconds of a part that is not begun, or of what a former run has left of it."""
        pace = self.paces.a_unit(part.kind, part.shape) or 0.0
        return self.paces.start(part.kind, part.shape) + pace * part.units * (1 - self.done[part.key])


class _Running:
    """A cell that runs: which part it is at, since when, and how fast."""

    def __init__(self, parts: Sequence[Part], done: dict[str, float], paces: Paces, now: float) -> None:
        self.parts, self.done, self.paces = parts, done, paces
        self.here = False
        """Whether it is this run that runs it."""
        self.worked = False
        """Whether it was seen to work on the part before: what follows then is work as well, not read from disk."""
        self._begin(0, now)

    def _begin(self, at: int, now: float) -> None:
        """It is at a part, of which it has not said anything yet."""
        self.at, self.begun = at, now
        self.first: tuple[float, float] | None = None
        self.last = now
        self.window = Window(30.0, 0.5)
        self.waited = False

    def waits(self) -> None:
        """Another runs the part it is at, so how long that takes tells nothing of its pace."""
        self.waited, self.first = True, None

    @property
    def waiting(self) -> bool:
        """Whether it waits right now."""
        return self.waited and self.first is None

    def progress(self, said: str, share: float | None, now: float) -> None:
        """So much of a stage is done, None is not known; those before it are over.

        A sentence that is no stage is one of waiting, where it comes without a share, and else tells nothing.
        """
        stages = [part.stage for part in self.parts]
        name = next((name for name in (said, asking(said)) if name in stages), None)
        if name is None:
            if share is None:
                self.waits()
            return
        at = stages.index(name)
        if share is None:
            self.over(at, now)
        elif at >= self.at or share < 1:
            self._at(at, share, now)

    def _at(self, at: int, share: float, now: float) -> None:
        """So much of this part is done."""
        if at < self.at:  # it is done again
            self._begin(at, now)
        self.over(at, now)
        part = self.parts[at]
        if self.first is None:
            self.first, self.window = (now, share), Window(30.0, 0.5)
        elif share >= self.done[part.key]:
            self.paces.add(part.kind, part.shape, part.units * (share - self.done[part.key]), now - self.last)
        self.window.add(now, share)
        self.done[part.key], self.last = share, now
        if share >= 1:
            self.over(at + 1, now)

    def over(self, at: int, now: float) -> None:
        """It is at this part: the ones before are over. Those without a word share the time since the last word."""
        if at <= self.at:
            return
        silent = self.parts[self.at : at]
        if self.first is not None:
            self._measure_start(silent[0], *self.first)
            silent, self.worked = silent[1:], True
        silent = [part for part in silent if self.done[part.key] < 1]
        units = sum(part.units for part in silent)
        if self.worked and not self.waited and units:
            for part in [part for part in silent if part.silent]:
                self.paces.add(part.kind, part.shape, part.units, (now - self.last) * part.units / units)
        self.done.update({part.key: 1.0 for part in self.parts[:at]})
        self._begin(at, now)

    def left(self, guess: float, now: float) -> float:
        """Seconds left of the part it is at; `guess` is what it would take if it began now."""
        part, quiet = self.parts[self.at], now - self.last
        if self.first is None:
            return max(guess - quiet, OVERDUE * quiet)
        seconds, share = self.window.span
        pace = self.paces.a_unit(part.kind, part.shape)
        own = (seconds + TRUST) / (share * part.units + TRUST / pace) if pace else 0.0
        return max(own * part.units * (1 - self.done[part.key]) - quiet, OVERDUE * quiet)

    def _measure_start(self, part: Part, first: float, share: float) -> None:
        """What a part took before its first word, less the steps done by then.

        One that went on from a checkpoint had done them before, and tells nothing.
        """
        pace = self.paces.a_unit(part.kind, part.shape)
        if pace is not None and not self.waited:
            start = first - self.begun - share * part.units * pace
            if start >= -1:
                self.paces.add_start(part.kind, part.shape, start)
