"""What a launcher promises: it starts cells somewhere, says when they have ended, and stops them when it is told to.

Which cell is next, what a failure means and what is left on disk is decided elsewhere, so a launcher is short: a local
one starts child processes, one for a cluster submits `Job.command` to its queue. `vlpbench.testing` checks launchers.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

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

    def variables(self, slot: int) -> dict[str, str]:
        """What a job in this slot must see in its environment, so that it has its own GPU, on a CPU none.

        Nothing where the GPUs are not named: a queue gives its jobs their own.
        """
        if self.device == "cpu":
            return {"CUDA_VISIBLE_DEVICES": ""}
        return {"CUDA_VISIBLE_DEVICES": self.devices[slot // self.each]} if self.devices else {}


@dataclass(frozen=True)
class Job:
    """One cell to run."""

    cell: str
    """The cell's id."""
    command: tuple[str, ...]
    """What a person would type, `vlpbench run cell GRID ID ...`; whoever runs it leaves the cell's record."""
    log: Path
    """Where all that the job prints goes, behind what is there; whoever starts the job makes the folder."""
    order: Callable[[], int] | None = None
    """The same for a process that has vlpbench in memory: runs the cell and gives the exit code; it can be pickled."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the job must see beside those of its machine and of its slot (`Place.variables`)."""
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

    @property
    def pid(self) -> int | None:
        """Its process, where that is one of this machine whose memory is to be watched; None elsewhere."""
        return None

    def bytes_held(self) -> int:
        """Memory that it holds with all processes that it has started; 0 where that is not known."""
        return 0


class Launcher(ABC):
    """Where cells run."""

    name: ClassVar[str]
    """What `--launcher` calls it."""
    runs: ClassVar[bool] = True
    """Whether a job that has ended was run; False where it was only told what there is to run."""

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
