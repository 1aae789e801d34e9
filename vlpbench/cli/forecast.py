"""When a run will be over: its cells handed to its slots as the scheduler does it, with guessed seconds."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Ahead", "seconds_ahead"]


@dataclass(frozen=True)
class Ahead:
    """What one cell still has before it."""

    parts: Sequence[tuple[str, float]]
    """Key and seconds of each part that is not over, in order; cells that share a part have the same key."""
    at: Literal["slot", "elsewhere", ""] = ""
    """Where it runs already: in a slot of this run, or in another run; empty where it does not."""


def seconds_ahead(cells: Sequence[Ahead], slots: int) -> float:
    """Seconds until the last cell is over.

    A slot that is free takes the first cell that would not wait for a part that another cell is at; a cell that comes
    to such a part all the same waits until it is there. Cells that run are given so that none waits for a later one.
    """
    over: dict[str, float] = {}  # key -> when the part is there
    ends = [(one.at, _through(one, 0.0, over)) for one in cells if one.at]
    last = max((end for _, end in ends), default=0.0)
    free = [end for at, end in ends if at == "slot"]
    free += [0.0] * (max(1, slots) - len(free))
    heapq.heapify(free)
    waiting = [one for one in cells if not one.at]
    while waiting:
        now = heapq.heappop(free)
        at = next((n for n, one in enumerate(waiting) if _can_start(one, now, over)), 0)
        end = _through(waiting.pop(at), now, over)
        last = max(last, end)
        heapq.heappush(free, end)
    return last


def _can_start(cell: Ahead, now: float, over: dict[str, float]) -> bool:
    return all(over[key] <= now for key, _ in cell.parts[:1] if key in over)


def _through(cell: Ahead, now: float, over: dict[str, float]) -> float:
    """When a cell that starts now is over; its parts are noted."""
    for key, seconds in cell.parts:
        if key in over:
            now = max(now, over[key])
        else:
            now += seconds
            over[key] = now
    return now
