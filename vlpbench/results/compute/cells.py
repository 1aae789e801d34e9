"""What each cell took by its own clock, and which stages it shares with others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.files import digest
from vlpbench.records import CellFolder, cell_folders

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["CellTime", "cell_times"]

_DECIDING = (
    "objective", "backbone", "data", "texts", "seed", "budget", "optim", "image", "text", "objectives", "wiring",
    "init",
)
"""Settings by which two cells have one pretraining, where a record does not name the stage."""


@dataclass(frozen=True)
class CellTime:
    """One cell that has a folder."""

    folder: Path
    """The results folder that it is in."""
    cell: str
    """Its id."""
    grid: str
    """As the frame calls it."""
    row: str
    """Its line of the table."""
    seed: int
    """Its seed."""
    state: str
    """Of the frame: "done", "failed", ..."""
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

    @property
    def total(self) -> float:
        """Seconds of all its stages."""
        return sum(self.seconds.values())


def cell_times(results: Results) -> list[CellTime]:
    """Every cell that has a folder and is in the frame; a folder that was copied counts once."""
    known: dict[str, list[tuple[str, str, int, str]]] = {}
    lines = results.frame[["grid", "row", "seed", "status", "cell"]].drop_duplicates("cell").itertuples(index=False)
    for grid, row, seed, status, cell in lines:
        known.setdefault(str(cell), []).append((str(grid), str(row), int(seed), str(status)))
    found: dict[tuple[str, float], CellTime] = {}
    for folder in results.folders:
        for one in _in_folder(folder, known):
            found.setdefault((one.cell, one.total), one)
    return list(found.values())


def _in_folder(folder: Path, known: Mapping[str, list[tuple[str, str, int, str]]]) -> Iterator[CellTime]:
    for cell in cell_folders(folder):
        name = cell.path.name.rpartition("-")[2]
        if name in known:
            grid, row, seed, state = known[name][0]
            yield _cell(folder, cell, (name, grid, row, seed, "done" if state == "n/a" else state))


def _cell(folder: Path, cell: CellFolder, said: tuple[str, str, str, int, str]) -> CellTime:
    name, grid, row, seed, state = said
    timing, settings = cell.facts("timing"), _object(cell.path / "settings.json").get("settings", {})
    fine_tunes = _object(cell.path / "fine_tunes.json")
    return CellTime(
        folder, name, grid, row, seed, state, tuple(settings.get("tasks", ())), cell.tries(),
        _seconds(timing.get("seconds"), timing.get("total")), _whole(timing.get("peak_bytes")),
        cell.facts("environment"), _object(cell.path / "scores.json") if state == "done" else {},
        _pretraining(cell, settings), {task: str(stage) for task, stage in fine_tunes.items()},
    )


def _seconds(stages: Any, total: Any) -> dict[str, float]:
    """By stage; of a record that only has the sum, the sum under no name."""
    known = stages if isinstance(stages, dict) else {}
    found = {str(name): float(value) for name, value in known.items() if isinstance(value, int | float)}
    if not found and isinstance(total, int | float):
        return {"": float(total)}
    return found


def _pretraining(cell: CellFolder, settings: Mapping[str, Any]) -> str:
    named = _object(cell.path / "pretraining.json").get("stage")
    if named:
        return str(named)
    return digest({name: settings.get(name) for name in _DECIDING}) if settings else ""


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _object(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
