"""Asked by a signal to stop: a training ends after its step, with a checkpoint; all else ends at once."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

from vlpbench.runner.interrupts import Interrupts
from vlpbench.training.pace import Stopped, never

__all__ = ["Stopping", "patiently"]


class Stopping(Interrupts):
    """`Pace.stop` of all that runs while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: Callable[[], bool] = never
        """Whether another process has taken what this one works at: there is no point in going on."""
        self._patient = False

    def __call__(self) -> bool:
        """Whether somebody has asked, or nobody needs the work any more."""
        return self.count > 0 or self.lost()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        super()._hear(number, frame)
        if self.count > 1 and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self._patient:
            raise Stopped

    @contextlib.contextmanager
    def patiently(self) -> Iterator[None]:
        """Inside, nothing is cut off: what runs asks by itself after each step; if it never does, the end is here."""
        self._patient = True
        try:
            yield
        finally:
            self._patient = False
        if self.count:
            raise Stopped


def patiently(stop: Callable[[], bool]) -> contextlib.AbstractContextManager[None]:
    """The same where `stop` is one that listens to signals; elsewhere nothing."""
    return stop.patiently() if isinstance(stop, Stopping) else contextlib.nullcontext()
