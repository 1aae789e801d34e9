"""What a launcher promises: it starts cells somewhere, says when they have ended, and stops them when it is told to.

Which cell is next, what a failure means and what is left on disk is decided elsewhere, so a launcher is short: a local
one starts child processes, one for a cluster submits `Job.command` to its queue. `vlpbench.testing` checks launchers.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

__all__ = ["Job", "Launcher", "Place", "Started"]


@dataclass(frozen=True)
class Place:
    """What a launcher may use."""

    device: str
    """ "cpu" or "cuda"."""
    jobs: int = 1
    """Cells at once."""
    devices: Sequence[str] = ()
    """The GPUs, each as the parent's CUDA_VISIBLE_DEVICES names it (a number, a UUID, a MIG name); empty on a CPU."""
    each: int = 1
    """Cells at once on one GPU."""

    @property
    def slots(self) -> int:
        """Cells at once, over all devices."""
        return len(self.devices) * self.each if self.devices else self.jobs


@dataclass(frozen=True)
class Job:
    """One cell to run."""

    cell: str
    """The cell's id."""
    command: tuple[str, ...]
    """What a person would type, `vlpbench run cell GRID ID ...`; whoever runs it leaves the cell's record."""
    log: Path
    """Where all that the job prints goes."""
    order: Any = None
    """The same for a process that has vlpbench in memory: what `vlpbench.runner.worker.work` takes."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the job must see beside those of its machine."""
    seconds: float = 0.0
    """Its time limit, which the runner keeps as well; 0 is none."""


class Started(ABC):
    """A job that was started."""

    @abstractmethod
    def ended(self) -> int | None:
        """Its exit code, below zero for the signal that ended it; None while it runs or waits in a queue."""

    @abstractmethod
    def stop(self) -> None:
        """Ask it to finish the step it is at, write a checkpoint and end (SIGTERM, where there are signals)."""

    @abstractmethod
    def kill(self) -> None:
        """End it now, with all processes that it has started; harmless where it has ended."""

    def bytes_held(self) -> int:
        """Memory that it holds with all processes that it has started; 0 where that is not known."""
        return 0


class Launcher(ABC):
    """Where cells run."""

    name: ClassVar[str]
    """What `--launcher` calls it."""

    def __init__(self, place: Place) -> None:
        self.place = place

    @abstractmethod
    def start(self, job: Job, slot: int) -> Started:
        """Start a job in one of `place.slots` slots, which no other job has until this one has ended."""

    def warm_up(self) -> None:
        """Called once before any job is ready: load what takes long."""
        return

    def wait(self, started: Sequence[Started], seconds: float) -> None:
        """Return when one of the jobs has ended, or after so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not any(one.ended() is not None for one in started):
            time.sleep(min(0.2, seconds))

    def close(self) -> None:
        """Called once when all jobs have ended."""
        return
