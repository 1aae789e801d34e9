"""How fast a training goes: the clock is looked at after each step, when the loop asks whether to stop anyway.

Nobody waits for a GPU: the last step is logged before the loop asks, so all steps are over by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

__all__ = ["Rate"]


class Rate:
    """Stands where `Pace.stop` stands, and notes when it is asked."""

    def __init__(self, stop: Callable[[], bool], clock: Callable[[], float] = time.perf_counter) -> None:
        """The training is about to begin; `clock` tells seconds."""
        self._stop, self._clock = stop, clock
        self._start = self._first = self._last = clock()
        self._steps = 0

    def __call__(self) -> bool:
        """A step is over: whether to stop behind it."""
        self._last, self._steps = self._clock(), self._steps + 1
        if self._steps == 1:
            self._first = self._last
        return self._stop()

    def told(self, pairs: int, flops: float) -> dict[str, Any]:
        """What is known, of the steps of this process: nothing without a step, and no rate with a single one.

        `pairs` and `flops` are those of a step. Looks at the validation split and checkpoints are within the time.
        """
        if not self._steps:
            return {}
        found: dict[str, Any] = {"first_step_seconds": self._first - self._start}
        if self._steps > 1 and self._last > self._first:
            each = (self._steps - 1) / (self._last - self._first)
            found |= {"pairs_per_second": pairs * each, "tflops": flops * each / 1e12}
        return found
