"""Sentences on what was spent, from `compute`."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from vlpbench.results.checklist.study import Study
from vlpbench.results.compute.wording import machine_text, scaled, time_text

__all__ = ["machines", "parameters", "time_in_all", "times"]


def machines(study: Study) -> Iterator[str]:
    """Each kind of machine."""
    yield from (machine_text(one) for one in study.cost.machines)


def times(study: Study) -> Iterator[str]:
    """Time of one run, row by row, with the work it is."""
    for one in study.cost.rows:
        if isnan(one.hours):
            continue
        spread = f" ({time_text(one.least)} to {time_text(one.most)})" if one.timed > 1 else ""
        memory = f", at most {one.peak_bytes / 2**30:.2f} GiB held" if one.peak_bytes else ""
        work = scaled(one.pretrain_flops + one.fine_tune_flops, "FLOPs")
        yield f"{one.row}: {time_text(one.hours)} a run{spread}, {work}{memory}"


def time_in_all(study: Study) -> Iterator[str]:
    """All of it, unfinished work included; and what no record knows."""
    cost = study.cost
    if isnan(cost.hours):
        yield "no time is recorded"
    else:
        lost = f", of it {time_text(cost.unfinished_hours)} without a result so far" if cost.unfinished_hours else ""
        yield f"in all {time_text(cost.hours)}{lost}; {scaled(cost.flops, 'FLOPs')} of finished training"
    yield from cost.notes


def parameters(study: Study) -> Iterator[str]:
    """Of each row."""
    yield from (f"{one.row}: {one.parameters:,} parameters" for one in study.cost.rows if one.parameters)
