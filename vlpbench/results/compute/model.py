"""What is said of a study's cost, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

__all__ = ["Compute", "Machine", "RowCost", "StageCost", "StateCost"]


@dataclass(frozen=True)
class Machine:
    """A kind of machine that cells were run on; a fact that no record holds is empty."""

    device: str
    """Model of the device: the GPU, or the processor's kind where cells computed on it."""
    processor: str
    """Model of the processor."""
    cores: str
    """How many the processor has."""
    threads: str
    """How many threads torch used on it."""
    memory: str
    """Main memory, "24 GiB"."""
    gpu_memory: str
    """Memory of the GPU, where there is one."""
    software: str
    """Version of torch, and of CUDA and the driver where there are any."""
    cells: int = 0
    """Cells that ran on such machines."""
    hosts: int = 0
    """Different machines; 0 where records do not tell them apart."""


@dataclass(frozen=True)
class RowCost:
    """What one row took a cell. Of shared stages each cell has the whole; NaN is not known."""

    grid: str
    """Name of the grid."""
    row: str
    """The row."""
    cells: int
    """Finished cells."""
    timed: int
    """Those of them whose time is known: all numbers of hours are of these."""
    hours: float
    """Mean over cells."""
    least: float
    """Hours of the fastest."""
    most: float
    """Hours of the slowest."""
    stages: Mapping[str, float]
    """Stage ("tune", "pretrain", or a task with its fine-tune, predictions and scores) -> mean hours."""
    parameters: int
    """Of the backbone as pretrained."""
    pretrain_flops: float
    """Floating-point operations of pretraining a cell, mean."""
    fine_tune_flops: float
    """The same of all its fine-tunes."""
    flops_per_second: float
    """Operations of pretraining over its seconds, of pretrainings that ran from start to end in one go."""
    peak_bytes: int
    """Most memory that a cell held: of the GPU where it computed on one, else of its process; 0 is not known."""
    pairs_per_second: float = nan
    """Pairs a second of pretraining without its first step, mean over the cells that know; NaN is not known."""
    tflops: float = nan
    """10^12 operations a second of the same steps."""


@dataclass(frozen=True)
class StageCost:
    """What all stages of one kind took together, each counted once however many cells share it."""

    stage: str
    """ "tune", "pretrain", "fine-tune", or "predict" (with scoring)."""
    finished: int
    """Stages that ended well."""
    unfinished: int
    """Stages that were begun and are not finished: they failed, were stopped, or are going on."""
    starts: int
    """How often any of them was begun; more than there are stages where some were interrupted or failed."""
    hours: float
    """Of the finished ones, all their starts."""
    unfinished_hours: float
    """Of the others, as far as known."""
    untimed: int
    """Begun stages without any time: their process was killed, or goes on."""


@dataclass(frozen=True)
class StateCost:
    """Cells of one state."""

    state: str
    """ "done", "failed", "timeout", "damaged", "pending" or "n/a"."""
    cells: int
    """How many."""
    tries: int
    """How often they failed or ran out of time, together."""
    timed: int
    """How many of them say how long their last start took."""
    hours: float
    """What these say together: part of the hours in all, and not to be added to them."""


@dataclass(frozen=True)
class Compute:
    """What a study took."""

    machines: tuple[Machine, ...]
    """Most used first."""
    rows: tuple[RowCost, ...]
    """In the order of the grids."""
    stages: tuple[StageCost, ...]
    """By kind; empty where stages left no time."""
    states: tuple[StateCost, ...]
    """All cells by state."""
    hours: float
    """Hours of processes in all, shared stages once, unfinished work as far as known; NaN where nothing is known."""
    unfinished_hours: float
    """The part of `hours` that led to no result so far."""
    flops: float
    """Floating-point operations of all finished training, tries of `[tune]` included, shared stages once."""
    notes: tuple[str, ...]
    """Sentences: how hours were had, and what is not known."""
