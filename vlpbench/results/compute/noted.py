"""What stages took that are no longer there, in a file of a compact results folder: `stage_times.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vlpbench.files import write_json
from vlpbench.results.compute.json_object import json_object

__all__ = ["Noted", "note", "noted"]

_FILE = "stage_times.json"


@dataclass(frozen=True)
class Noted:
    """One stage as it was when its folder was left out."""

    name: str
    """Of the folder: kind and key."""
    finished: bool
    """Whether it ended well."""
    starts: int
    """How often it was begun; 0 where that is not known."""
    seconds: float | None
    """Wall time of all starts that could say, without the stages inside it; None where none could."""
    clock: float | None
    """The same with the stages inside it, as its `run.json` says: a folder that still says so is this very stage."""


def noted(results: Path) -> dict[str, Noted]:
    """By name; empty where there is no such file, or it cannot be read."""
    found = {}
    for name, said in json_object(results / _FILE).items():
        if isinstance(said, list) and len(said) == 4 and isinstance(said[1], int):
            finished, starts, seconds, clock = said
            found[name] = Noted(name, finished is True, starts, _number(seconds), _number(clock))
    return found


def note(results: Path, stages: Iterable[Noted]) -> None:
    """Write these down, and nothing else; a file that says so already stays untouched."""
    told: Mapping[str, object] = {
        one.name: [one.finished, one.starts, one.seconds, one.clock] for one in stages
    }
    if json_object(results / _FILE) != told:
        write_json(results / _FILE, told)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
