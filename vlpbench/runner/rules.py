"""How a grid is run: on what, how many at once, and when to give up. Nothing here changes a number."""

from __future__ import annotations

from dataclasses import dataclass

from vlpbench.training.pace import PACE, Pace

__all__ = ["Rules"]


@dataclass(frozen=True)
class Rules:
    """What the options of `vlpbench run` say."""

    device: str = "auto"
    """ "cpu", "cuda", or "auto": the GPU where there is one."""
    jobs: int = 0
    """Cells at once; 0 is one a core on a CPU, and as many as there are slots on GPUs."""
    each: int = 0
    """Cells at once on one GPU; 0 is as many as it was measured to gain by, or one where nothing may be packed."""
    pace: Pace = PACE
    """How each cell goes about its work."""
    launcher: str = "local"
    """Where cells run."""
    seconds: float = 0.0
    """Time limit of a cell; 0 is none."""
    memory: float = 0.0
    """Bytes that a cell may hold; 0 lets it go on until the machine has none left."""
    retries: int = 0
    """How often a cell that failed is tried again in the same run."""
    most: int = 0
    """Failures after which no further cell is started and those that run are stopped; 0 goes on to the end."""
    pack: bool | None = None
    """Whether cells that differ by their seed alone train as one model and small cells share a GPU; None is on a GPU
    alone, where it pays."""
