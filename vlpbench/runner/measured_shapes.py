"""Has each shape measured by a child process, with a time limit; what dies or hangs is a finding like others."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from typing import Any

from vlpbench.device import Device
from vlpbench.registry import Registry
from vlpbench.runner.child import Child, folders
from vlpbench.runner.measured import OPEN, START, Failure, Found
from vlpbench.runner.measuring import BEGUN, ToMeasure, measure
from vlpbench.runner.shapes import PRETRAIN, Shape
from vlpbench.training.pace import PACE, Pace

__all__ = ["measure_shape"]

BUILDING, MEASURING = 600.0, 60.0
"""Seconds that a part may take to be built (a large data set is read), and then for its steps."""


def measure_shape(
    shape: Shape, registry: Registry, device: Device, pace: Pace = PACE,
    limits: tuple[float, float] = (BUILDING, MEASURING),
) -> Found:
    """Measure one shape in a process of its own, which is gone afterwards."""
    order = ToMeasure(shape, registry.files, registry.blocked, device.kind, pace, folders())
    with Child(measure, order, f"shape {shape.key}", device.kind) as child:
        return _listen(shape, child.process, child.pipe, limits)


def _listen(shape: Shape, process: Any, pipe: Connection, limits: tuple[float, float]) -> Found:
    """All that the child says until it has said everything, dies, or is late."""
    found, left = Found(), [START, OPEN, *([PRETRAIN] if shape.pretrains else []), *shape.parts]
    begun, limit = time.monotonic(), limits[0]
    while left:
        try:
            if not pipe.poll(max(0.0, begun + limit - time.monotonic())):
                found.parts[left[0]] = Failure(f"does not finish within {limit:.0f} s", limit)
                break
            key, said = pipe.recv()
        except EOFError:
            process.join(5)
            found.parts[left[0]] = Failure(_death(process.exitcode), time.monotonic() - begun)
            break
        begun, limit = time.monotonic(), limits[1] if key == BEGUN else limits[0]
        if key != BEGUN:
            found.parts[key] = said
            left.remove(key)
            if isinstance(said, Failure) and key in (OPEN, PRETRAIN):
                break
    return found


def _death(code: int | None) -> str:
    if code == -9:
        return "is killed, most likely for want of memory"
    return f"its process ends without a word (exit code {code})"
