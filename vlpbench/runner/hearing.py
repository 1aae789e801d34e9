"""Who is told how far a cell is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vlpbench.training.loop import Heard

__all__ = ["Hearing", "heard_as"]

Hearing = Callable[[str, int, int, Mapping[str, float]], None]
"""Told the stage, the steps done, the steps in all, and the last figures."""


def heard_as(hearing: Hearing | None, stage: str) -> Heard | None:
    """The same listener for one stage."""
    if hearing is None:
        return None
    return lambda done, of, figures: hearing(stage, done, of, figures)
