"""The sentences under the numbers: how hours were had, what they hold, and what no record knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isnan

from vlpbench.results.compute.model import Compute
from vlpbench.results.compute.wording import time_text

__all__ = ["remarks"]


def remarks(found: Compute, by_cells: float) -> Compute:
    """The same with its notes; `by_cells`: hours of the total that only cells' own clocks tell of."""
    return replace(found, notes=(*_hours(found, by_cells), *_lost(found), *_open(found), *_always(found)))


def _hours(found: Compute, by_cells: float) -> Iterator[str]:
    if isnan(found.hours):
        yield "no time is recorded: the files that hold it are missing, or no cell has ended"
        return
    if found.stages:
        yield ("the time in all adds up what every start of every stage wrote down, failed and stopped ones included; "
               "a stage that several cells share counts once")
        if by_cells > 0.005 * found.hours:
            yield f"{time_text(by_cells)} of it are known from cells' own clocks alone, as their stages left no time"
    else:
        yield ("stages left no times here (they were removed, or an earlier version ran them), so the time in all adds "
               "up what the last start of each cell took by its own clock; what earlier starts took is not known")
    yield ("the time a cell gives every cell the whole of the stages that it shares, so these may add up to more than "
           "was spent")


def _lost(found: Compute) -> Iterator[str]:
    untimed = sum(one.untimed for one in found.stages)
    if untimed:
        which = "stage that was begun has" if untimed == 1 else "stages that were begun have"
        yield (f"{untimed} {which} no time at all: the process was killed, or goes on; what it took is not counted "
               "and not known")
    stages = sum(one.finished + one.unfinished for one in found.stages)
    again = sum(one.starts for one in found.stages) - stages
    if again > 0:
        what = "1 start of a stage was" if again == 1 else f"{again} starts of stages were"
        yield f"{what} a second or later one; of starts that were killed outright the time is lost and not counted"
    cells = sum(one.cells for one in found.rows) - sum(one.timed for one in found.rows)
    if cells:
        yield f"{cells} finished {'cell has' if cells == 1 else 'cells have'} no time file that can be trusted"


def _open(found: Compute) -> Iterator[str]:
    states = {one.state: one for one in found.states}
    for state, what in (("failed", "failed"), ("timeout", "ran out of time")):
        if state in states:
            one = states[state]
            known = f"of {one.timed} the time of the last start is known ({time_text(one.hours)})"
            cells = "1 cell" if one.cells == 1 else f"{one.cells:,} cells"
            yield f"{cells} {what}; {known}, which is part of the time in all"
    if "pending" in states:
        yield f"{states['pending'].cells} cells are pending: what they will take is not in any number"


def _always(found: Compute) -> Iterator[str]:
    if len(found.machines) > 1:
        yield "times on different machines are added as they are"
    if not found.machines:
        yield "no record tells of the machine"
    elif not all(one.hosts for one in found.machines):
        yield "some records do not tell one machine from another, so how many there were is not known"
    yield ("each cell computes on one device, and its process is what is timed: where several jobs shared a device, "
           "the device was busy for less")
    yield ("not recorded: energy, work before this grid (trials, debugging), and whatever was deleted since; FLOPs are "
           "those of finished training, without predictions")
