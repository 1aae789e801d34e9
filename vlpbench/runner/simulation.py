"""The grid run in thought: cells in order in so many slots, each waiting for a stage that another one runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Job", "Run", "simulate"]


@dataclass(frozen=True)
class Job:
    """The work of one process."""

    cell: str
    """The id of its first cell."""
    pieces: Sequence[tuple[str, float]]
    """Each piece in order: the stage that processes share, empty where it is its own; and its seconds."""
    takes: float = 1.0
    """How many slots."""


@dataclass
class Run:
    """What came of it."""

    seconds: float = 0.0
    """From the first start to the last end."""
    paid: dict[str, dict[int, float]] = field(default_factory=dict)
    """Cell -> place of a piece -> its seconds, of those pieces that the cell ran itself."""


@dataclass
class _Going:
    """A cell in its slot."""

    job: Job
    at: int = 0
    """Which piece."""
    until: float | None = None
    """When that piece is done; None while another cell runs it."""


def simulate(jobs: Sequence[Job], slots: int) -> Run:
    """Run all jobs. A free slot takes the first cell whose next shared stage no other cell is at or comes to."""
    return _Simulation(jobs, slots).run()


class _Simulation:
    def __init__(self, jobs: Sequence[Job], slots: int) -> None:
        self.waiting, self.slots = list(jobs), slots
        self.now, self.result = 0.0, Run()
        self.going: list[_Going] = []
        self.done: set[str] = set()
        self.busy: set[str] = set()

    def run(self) -> Run:
        """From end to end of a piece, until nothing waits or goes on."""
        self._fill()
        while self.going:
            self.now = min(one.until for one in self.going if one.until is not None)
            ended = [one for one in self.going if one.until is not None and one.until <= self.now]
            for one in ended:
                stage = one.job.pieces[one.at][0]
                self.busy.discard(stage)
                self.done.update({stage} - {""})
                one.at += 1
            waited = [one for one in self.going if one.until is None]
            for one in [*ended, *waited]:
                self._go_on(one)
            self._fill()
        self.result.seconds = self.now
        return self.result

    def _fill(self) -> None:
        while job := next(filter(self._free, self.waiting), None):
            self.waiting.remove(job)
            self.result.paid[job.cell] = {}
            self.going.append(_Going(job))
            self._go_on(self.going[-1])

    def _free(self, job: Job) -> bool:
        """Whether there is room, and no cell in a slot makes or comes to the first shared stage that this one needs."""
        if sum(one.job.takes for one in self.going) + job.takes > self.slots + 1e-6:
            return False
        needed = self._needed(job)
        return not needed or needed not in {self._needed(one.job) for one in self.going}

    def _needed(self, job: Job) -> str:
        return next((stage for stage, _ in job.pieces if stage and stage not in self.done), "")

    def _go_on(self, one: _Going) -> None:
        """Begin the next piece that is still to be done, or wait for who is at it; behind the last one, end."""
        one.until = None
        for at in range(one.at, len(one.job.pieces)):
            stage, seconds = one.job.pieces[at]
            if stage in self.done:
                continue
            one.at = at
            if stage not in self.busy:
                self.busy.update({stage} - {""})
                self.result.paid[one.job.cell][at] = seconds
                one.until = self.now + seconds
            return
        self.going.remove(one)
