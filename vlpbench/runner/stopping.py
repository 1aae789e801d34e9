"""Asked by a signal to stop: a training ends after its step, with a checkpoint; all else ends at once."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Self

from vlpbench.training.pace import Stopped, never

__all__ = ["Stopping", "patiently"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Listens while it is entered (in the main thread); `Pace.stop` of all that runs meanwhile."""

    def __init__(self) -> None:
        self.asked = 0
        self.lost: Callable[[], bool] = never
        """Whether another process has taken what this one works at: there is no point in going on."""
        self._patient = False
        self._before: dict[int, object] = {}

    def __call__(self) -> bool:
        """Whether somebody has asked, or nobody needs the work any more."""
        return self.asked > 0 or self.lost()

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, wrong: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1
        if self.asked > 1 and number == signal.SIGINT:
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
        if self.asked:
            raise Stopped


def patiently(stop: Callable[[], bool]) -> contextlib.AbstractContextManager[None]:
    """The same where `stop` is one that listens to signals; elsewhere nothing."""
    return stop.patiently() if isinstance(stop, Stopping) else contextlib.nullcontext()
