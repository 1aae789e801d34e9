"""From results folders to what a study took: stages by what they wrote down, the rest by the cells' own clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any

from vlpbench.results.compute.cells import CellTime, cell_times
from vlpbench.results.compute.model import Compute, Machine, StageCost, StateCost
from vlpbench.results.compute.remarks import remarks
from vlpbench.results.compute.rows import row_costs
from vlpbench.results.compute.stages import StageTime, stage_times

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["compute"]

_HOUR = 3600.0
_KINDS = ("tune", "pretrain", "fine-tune", "predict")


def compute(results: Results) -> Compute:
    """What the cells of these results took; what is not recorded is NaN, 0 or empty, and said in `notes`."""
    cells = cell_times(results)
    stages = _stages(results)
    by_name = {one.name: one for one in stages}
    beside = _beside_stages(cells, by_name)
    unfinished = sum(one.seconds or 0.0 for one in stages if not one.finished)
    failed = sum(seconds for one, seconds in beside if one.state != "done")
    known = any(one.seconds is not None for one in stages) or bool(beside)
    hours = (sum(one.seconds or 0.0 for one in stages) + sum(seconds for _, seconds in beside)) / _HOUR
    found = Compute(
        machines=_machines(cells),
        rows=tuple(row_costs(cells, by_name, [row for order in results.orders for row in order.rows])),
        stages=tuple(_of_kind(kind, stages) for kind in _KINDS if any(one.kind == kind for one in stages)),
        states=_states(results, cells),
        hours=hours if known else nan,
        unfinished_hours=(unfinished + failed) / _HOUR if known else nan,
        flops=_flops(cells),
        notes=(),
    )
    return remarks(found, sum(seconds for _, seconds in beside) / _HOUR)


def _stages(results: Results) -> list[StageTime]:
    """Of all folders; one that was copied with its times counts once. Without times there is nothing to count."""
    found: dict[tuple[Any, ...], StageTime] = {}
    for folder in results.folders:
        mine = stage_times(folder)
        if any(one.seconds is not None for one in mine):
            for one in mine:
                found.setdefault((one.name, one.seconds, one.starts), one)
    return list(found.values())


def _beside_stages(cells: Iterable[CellTime], stages: Mapping[str, StageTime]) -> list[tuple[CellTime, float]]:
    """Seconds that only a cell's own clock tells of, as the stages behind them left no time or are gone."""
    timed = {name for name, one in stages.items() if one.seconds is not None}
    kinds = {stages[name].kind for name in timed}
    found = []
    for one in cells:
        if one.state != "done" and timed:
            continue  # what it began lies in stages that are not finished
        gone = sum(seconds for label, seconds in one.seconds.items() if not _is_in_stages(one, label, timed, kinds))
        if gone:
            found.append((one, gone))
    return found


def _is_in_stages(cell: CellTime, label: str, timed: set[str], kinds: set[str]) -> bool:
    if label == "pretrain":
        return cell.pretraining in timed
    if label == "tune":
        return "tune" in kinds
    return cell.fine_tunes.get(label) in timed


def _of_kind(kind: str, stages: Sequence[StageTime]) -> StageCost:
    mine = [one for one in stages if one.kind == kind]
    done, rest = [one for one in mine if one.finished], [one for one in mine if not one.finished]
    return StageCost(
        kind, len(done), len(rest), sum(one.starts for one in mine),
        sum(one.seconds or 0.0 for one in done) / _HOUR, sum(one.seconds or 0.0 for one in rest) / _HOUR,
        sum(one.seconds is None for one in mine),
    )


def _states(results: Results, cells: Sequence[CellTime]) -> tuple[StateCost, ...]:
    """Every cell of the frame by what became of it; a cell with one task that is n/a is done."""
    frame = results.frame.drop_duplicates(["grid", "cell", "status"])
    done = frame[frame["status"] == "done"][["grid", "cell"]]
    is_done = set(done.itertuples(index=False, name=None))
    folders = {one.cell for one in cells}
    state: dict[tuple[str, str], str] = {}
    for grid, cell, status in frame[["grid", "cell", "status"]].itertuples(index=False, name=None):
        has_run = status == "n/a" and cell in folders  # no task of it could be asked
        state[grid, cell] = "done" if (grid, cell) in is_done or has_run else status
    counts = Counter(state.values())
    return tuple(_state(name, counts[name], [one for one in cells if one.state == name]) for name in counts)


def _state(name: str, count: int, cells: Sequence[CellTime]) -> StateCost:
    timed = [one for one in cells if one.seconds]
    return StateCost(
        name, count, sum(one.tries for one in cells), len(timed), sum(one.total for one in timed) / _HOUR
    )


def _machines(cells: Iterable[CellTime]) -> tuple[Machine, ...]:
    """The kinds of machines of all cells that tell; the most used first."""
    hosts: dict[Machine, Counter[str]] = {}
    for one in cells:
        said = {name: str(value) for name, value in one.environment.items() if isinstance(value, str)}
        if said.get("device"):
            hosts.setdefault(_kind_of(said), Counter())[said.get("host", "")] += 1
    found = [
        replace(kind, cells=count.total(), hosts=sum(host != "" for host in count)) for kind, count in hosts.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.cells))


def _kind_of(said: Mapping[str, str]) -> Machine:
    parts = {"torch": "torch", "cuda": "CUDA", "driver": "driver"}
    software = ", ".join(f"{word} {said[name]}" for name, word in parts.items() if said.get(name))
    return Machine(
        device=said["device"], processor=said.get("processor", ""), cores=said.get("cores", ""),
        threads=said.get("torch_threads", ""), memory=said.get("memory", ""), gpu_memory=said.get("gpu_memory", ""),
        software=software,
    )


def _flops(cells: Iterable[CellTime]) -> float:
    """Of every finished training once: pretrainings, fine-tunes, tries."""
    pretrained: dict[str, float] = {}
    fine_tuned: dict[tuple[str, str], float] = {}
    tried: dict[str, float] = {}
    for one in cells:
        if not one.scores:  # what it shares with a finished cell is counted there
            continue
        pretrained[one.pretraining or one.cell] = one.scores.get("cost", {}).get("flops", 0)
        for task, said in one.scores.get("tasks", {}).items():
            name = one.fine_tunes.get(task)
            fine_tuned[(name, "") if name else (one.cell, task)] = said.get("fine_tune", {}).get("flops", 0)
        if tuned := one.scores.get("tuned"):
            tried[one.tuning] = sum(float(said.get("flops", 0)) for said in tuned.get("tried", ()))
    return float(sum(pretrained.values()) + sum(fine_tuned.values()) + sum(tried.values()))
