"""What each stage of a cell took, in this process: seconds, and the most memory held until then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vlpbench.device import Device

__all__ = ["SPEED", "Clock"]

SPEED = ("pairs_per_second", "tflops", "first_step_seconds", "peak_bytes")
"""What is noted of how fast a training was: in the middle, without its first step; and what it held."""


class Clock:
    """Seconds and peak memory of each stage; a stage that another run has left takes next to nothing."""

    def __init__(self, device: Device, spent: Mapping[str, float] | None = None) -> None:
        """`spent` are the seconds of stages that this process has made already, together with other seeds'."""
        self.device = device
        self.seconds: dict[str, float] = dict(spent or {})
        self.peaks: dict[str, int] = {}
        self.micro_batches: dict[str, int] = {}
        """Samples that went through at once in each training, 0 for all: fewer than asked where memory ran out."""
        self.speeds: dict[str, Mapping[str, float]] = {}
        """How fast trainings were where they were made, by the names of `SPEED`."""

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """What happens inside is counted for the stage, also where it fails."""
        start = self.device.seconds()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + self.device.seconds() - start
            self.peaks[stage] = self.device.peak_bytes()

    def timing(self) -> Mapping[str, Any]:
        """The content of `timing.json`."""
        return {
            "seconds": self.seconds, "total": sum(self.seconds.values()), "peak_bytes": self.device.peak_bytes(),
            "peaks": self.peaks, "micro_batch": self.micro_batches,
            "speed": self.speeds,
        }
