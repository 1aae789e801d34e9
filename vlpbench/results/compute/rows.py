"""What a row took a cell: of shared stages each cell has the whole, as if it had been run alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan, nan
from statistics import fmean

from vlpbench.results.compute.cells import CellTime
from vlpbench.results.compute.model import RowCost
from vlpbench.results.compute.stages import StageTime

__all__ = ["alone_seconds", "pretraining_seconds", "row_costs"]

_HOUR = 3600.0


def row_costs(cells: Sequence[CellTime], stages: Mapping[str, StageTime], order: Sequence[str]) -> list[RowCost]:
    """One a row of each grid; `order` lists rows as the tables have them."""
    made = pretraining_seconds(cells, stages) | _tuning_seconds(cells)
    groups: dict[tuple[str, str], list[CellTime]] = {}
    for one in cells:
        if one.state == "done":
            groups.setdefault((one.grid, one.row), []).append(one)
    place = {row: at for at, row in enumerate(order)}
    grids = list(dict.fromkeys(one.grid for one in cells))
    names = sorted(groups, key=lambda name: (grids.index(name[0]), place.get(name[1], len(place))))
    return [_row(name, groups[name], made, stages) for name in names]


def alone_seconds(cells: Sequence[CellTime]) -> dict[tuple[str, str], float]:
    """(grid, cell) -> seconds as if the cell had found nothing made, by cells' own clocks; where any are known."""
    made = pretraining_seconds(cells, {}) | _tuning_seconds(cells)
    return {(one.grid, one.cell): sum(_alone(one, made, {}).values()) * _HOUR for one in cells if one.seconds}


def pretraining_seconds(cells: Iterable[CellTime], stages: Mapping[str, StageTime]) -> dict[str, float]:
    """Pretraining -> what it took whoever made it; by cells' clocks the longest, as all others found it made."""
    found: dict[str, float] = {}
    for one in cells:
        if one.pretraining and "pretrain" in one.seconds:
            found[one.pretraining] = max(found.get(one.pretraining, 0.0), one.seconds["pretrain"])
    known = {name: stages[name].seconds for name in found if name in stages}
    return found | {name: seconds for name, seconds in known.items() if seconds is not None}


def _tuning_seconds(cells: Iterable[CellTime]) -> dict[str, float]:
    """Choice of a tuning -> the longest that a cell took over it: all others found it made."""
    found: dict[str, float] = {}
    for one in cells:
        if "tune" in one.seconds:
            found[one.tuning] = max(found.get(one.tuning, 0.0), one.seconds["tune"])
    return found


def _row(
    name: tuple[str, str], cells: Sequence[CellTime], made: Mapping[str, float], stages: Mapping[str, StageTime]
) -> RowCost:
    timed = [one for one in cells if one.seconds]
    alone = [_alone(one, made, stages) for one in timed]
    hours = [sum(one.values()) for one in alone]
    labels = sorted({label for one in alone for label in one if label}, key=_place(timed))
    costs = [one.scores.get("cost", {}) for one in cells]
    tasks = [one.scores.get("tasks", {}).values() for one in cells]
    return RowCost(
        *name, len(cells), len(timed),
        fmean(hours) if hours else nan, min(hours, default=nan), max(hours, default=nan),
        {label: fmean(one.get(label, 0.0) for one in alone) for label in labels},
        max((int(one.get("parameters", 0)) for one in costs), default=0),
        fmean(one.get("flops", 0) for one in costs),
        fmean(sum(said.get("fine_tune", {}).get("flops", 0) for said in one) for one in tasks),
        _achieved(timed, made, stages), max((one.peak_bytes for one in cells), default=0),
        _mean(one.pairs_per_second for one in cells), _mean(one.tflops for one in cells),
    )


def _mean(values: Iterable[float]) -> float:
    """The mean of what is known; NaN where nothing is."""
    known = [value for value in values if not isnan(value)]
    return fmean(known) if known else nan


def _place(cells: Sequence[CellTime]) -> Callable[[str], tuple[int, str]]:
    """The order of stages: as they are run."""
    order = ["tune", "pretrain", *dict.fromkeys(task for one in cells for task in one.tasks)]
    return lambda label: (order.index(label) if label in order else len(order), label)


def _alone(cell: CellTime, made: Mapping[str, float], stages: Mapping[str, StageTime]) -> dict[str, float]:
    """Hours of each stage, as if the cell had found nothing made."""
    found = {}
    for label, seconds in cell.seconds.items():
        if label == "pretrain":
            found[label] = made.get(cell.pretraining, seconds) / _HOUR
        elif label == "tune":
            found[label] = made[cell.tuning] / _HOUR
        else:
            learnt = stages.get(cell.fine_tunes.get(label, ""))
            found[label] = max(seconds, (learnt.seconds if learnt else None) or 0.0) / _HOUR
    return found


def _achieved(
    cells: Iterable[CellTime], made: Mapping[str, float], stages: Mapping[str, StageTime]
) -> float:
    """Operations a second over the row's pretrainings, each once; NaN where none ran in one go."""
    flops = seconds = 0.0
    for name, one in {one.pretraining: one for one in cells}.items():
        whole = name not in stages or stages[name].starts == 1
        work = one.scores.get("cost", {}).get("flops", 0)
        if whole and work and made.get(name, 0.0) > 0:
            flops, seconds = flops + work, seconds + made[name]
    return flops / seconds if seconds else nan
