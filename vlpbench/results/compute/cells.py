"""What each cell took by its own clock, and which stages it shares with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from vlpbench.files import digest
from vlpbench.records import CellFolder
from vlpbench.results.compute.json_object import json_object
from vlpbench.results.records import Record

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["CellTime", "cell_time", "cell_times"]

_DECIDING = (
    "objective", "backbone", "data", "texts", "seed", "budget", "optim", "image", "text", "objectives", "wiring",
    "init",
)
"""Settings by which two cells have one pretraining, where a record does not name the stage."""


@dataclass(frozen=True)
class CellTime:
    """One cell that has a folder."""

    cell: str
    """Its id."""
    grid: str
    """As the frame calls it."""
    row: str
    """Its line of the table."""
    seed: int
    """Its seed."""
    state: str
    """ "done", "failed", "timeout", "damaged" or "pending"."""
    tasks: tuple[str, ...]
    """In the order in which they are run."""
    tries: int
    """How often it failed or ran out of time, since it was last done."""
    seconds: Mapping[str, float]
    """Stage -> seconds of the cell's last start, waiting for shared stages included; empty where lost."""
    peak_bytes: int
    """Most memory held; 0 is not known."""
    environment: Mapping[str, Any]
    """The content of `environment.json`; empty where lost."""
    scores: Mapping[str, Any]
    """The content of `scores.json`; empty unless done."""
    pretraining: str
    """Name of the stage that it shares; of a record that does not name it a hash that is equal for the same one."""
    fine_tunes: Mapping[str, str]
    """Task -> name of the stage; empty where the record does not say."""
    pairs_per_second: float = nan
    """Of its pretraining where that was made, without the first step; NaN is not known."""
    tflops: float = nan
    """10^12 operations a second of the same steps."""

    @property
    def tuning(self) -> str:
        """A hash that is equal for cells of one row that share what was tried; blind cells share it with others."""
        return digest([self.row.removesuffix(", blind"), self.scores.get("tuned", {})])

    @property
    def total(self) -> float:
        """Seconds of all its stages."""
        return sum(self.seconds.values())


def cell_times(results: Results) -> list[CellTime]:
    """Every cell that was begun; of exported frames what the frame says of finished cells."""
    found = [cell_time(one) for one in results.held]
    there = {(one.grid, one.cell) for one in found}
    known = results.frame[results.frame["seconds"].notna()]
    return found + [
        _of_lines(lines.to_dict("records")) for name, lines in known.groupby(["grid", "cell"], sort=False)
        if name not in there
    ]


def cell_time(record: Record) -> CellTime:
    """What the record of a cell that was begun tells of its time."""
    cell, settings = record.cell, record.asked["settings"]
    timing, fine_tunes = cell.facts("timing"), json_object(cell.path / "fine_tunes.json")
    return CellTime(
        record.id, record.order.name, *record.line, record.state, tuple(settings.get("tasks", ())),
        0 if record.state == "done" else cell.tries(),
        _seconds(timing.get("seconds"), timing.get("total")), _whole(timing.get("peak_bytes")),
        cell.facts("environment"), record.scores, _pretraining(cell, settings),
        {task: str(stage) for task, stage in fine_tunes.items()}, *_speed(timing),
    )


def _of_lines(lines: Sequence[Mapping[Any, Any]]) -> CellTime:
    """A cell from its lines of a frame, which do not tell its stages apart."""
    one = lines[0]
    tasks = {line["task"]: {"fine_tune": {"flops": _whole(line["fine_tune_flops"])}} for line in lines}
    cost = {"parameters": _whole(one["parameters"]), "flops": _whole(one["flops"])}
    return CellTime(
        one["cell"], one["grid"], one["row"], int(one["seed"]), "done", tuple(tasks), 0, {"": float(one["seconds"])},
        _whole(one["peak_bytes"]), {"device": one["device"]} if one["device"] else {}, {"cost": cost, "tasks": tasks},
        "", {}, float(one["pairs_per_second"]), float(one["tflops"]),
    )


def _speed(timing: Mapping[str, Any]) -> tuple[float, float]:
    """Pairs and 10^12 operations a second of pretraining; NaN in records that do not tell."""
    said = timing.get("speed")
    found = said.get("pretrain") if isinstance(said, dict) else None
    known = found if isinstance(found, dict) else {}
    pairs, tflops = known.get("pairs_per_second"), known.get("tflops")
    return _number(pairs), _number(tflops)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else nan


def _seconds(stages: Any, total: Any) -> dict[str, float]:
    """By stage; of a record that only has the sum, the sum under no name."""
    known = stages if isinstance(stages, dict) else {}
    found = {str(name): float(value) for name, value in known.items() if isinstance(value, int | float)}
    if not found and isinstance(total, int | float):
        return {"": float(total)}
    return found


def _pretraining(cell: CellFolder, settings: Mapping[str, Any]) -> str:
    named = json_object(cell.path / "pretraining.json").get("stage")
    if named:
        return str(named)
    return digest({name: settings.get(name) for name in _DECIDING}) if settings else ""


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and isfinite(value) else 0
