"""The learning rate as a pure function of the step."""

from __future__ import annotations

__all__ = ["rate"]


def rate(step: int, steps: int, highest: float, warmup: float) -> float:
    """The rate of step 0 .. steps-1: it rises linearly over the first `warmup` share, then falls linearly to zero."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return highest * (step + 1) / rising
    return highest * (steps - step) / max(1, steps - rising + 1)
