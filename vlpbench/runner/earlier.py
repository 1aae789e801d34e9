"""What a grid asks for beside what its results hold: records of cells that it no longer has, and what differs."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlpbench.config.identity import settings_to_plain
from vlpbench.config.typed import shown
from vlpbench.files import readable
from vlpbench.grid import Cell
from vlpbench.results.grid_order import read_order
from vlpbench.results.grid_words import in_grid_words

__all__ = ["Asked", "Earlier", "asked_by", "asked_in", "differences", "earlier_records", "id_of"]

_FOLDER = re.compile(r".+-([0-9a-f]{12})")


@dataclass(frozen=True)
class Asked:
    """A cell as a grid asks for it: told by the grid itself, or by what its results say of it."""

    id: str
    """Twelve hexadecimal digits."""
    row: str
    """The line of the table it belongs to."""
    seed: int
    """Its seed."""
    folder: str
    """Name of the folder of its record."""
    reason: str = ""
    """Why it cannot be run; empty if it can."""
    deciding: Mapping[str, Any] = field(default_factory=dict)
    """settings, versions and fingerprints, as `settings.json` has them; empty where the results alone are known."""

    @property
    def claim(self) -> str:
        """Under which it is claimed."""
        return f"cell-{self.id}"


@dataclass(frozen=True)
class Earlier:
    """A record of a cell that the grid no longer has."""

    folder: str
    """Name of its folder."""
    asked: Mapping[str, Any]
    """The content of its `settings.json`."""


def asked_by(cell: Cell) -> Asked:
    """A cell of a grid that is open."""
    deciding = {
        "settings": settings_to_plain(cell.settings), "versions": dict(cell.versions),
        "fingerprints": dict(cell.fingerprints),
    }
    return Asked(cell.id, cell.row, cell.seed, cell.folder, cell.reason or "", deciding)


def asked_in(results: Path) -> list[Asked]:
    """The cells of a grid as its `grid.json` tells of them, by row and seed; none where there is no such file."""
    order = read_order(results)
    found = [
        Asked(one, said["row"], said["seed"], f"{readable(said['row'])}-s{said['seed']}-{one}", said["reason"] or "")
        for one, said in order.cells.items()
    ]
    place = {row: number for number, row in enumerate(order.rows)}
    return sorted(found, key=lambda one: (place.get(one.row, len(place)), one.seed))


def id_of(folder: str) -> str:
    """The cell's id in the name of its folder; empty where it has none."""
    found = _FOLDER.fullmatch(folder)
    return found[1] if found else ""


def earlier_records(results: Path, folders: Collection[str]) -> Iterator[Earlier]:
    """The records in other folders than those of the grid's cells, by name; what cannot be read is left out."""
    cells = results / "cells"
    for path in sorted(cells.iterdir()) if cells.is_dir() else ():
        if path.name in folders or not id_of(path.name):
            continue
        try:
            asked = json.loads((path / "settings.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(asked, dict) and {"row", "seed", "settings"} <= asked.keys():
            yield Earlier(path.name, asked)


def differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What decides a record's numbers and differs between two, in sentences: settings, versions, data.

    A key that only one of them has is told where nothing else differs: it mostly follows from what does.
    """
    old, new = (in_grid_words(one.get("settings", {})) for one in (was, now))
    both = {key for key in old.keys() & new.keys() if old[key] != new[key]}
    told = [f"{key} was {shown(old[key])}, is {shown(new[key])}" for key in new if key in both]
    told += [
        f"version of {what} was {was['versions'][what]}, is {version}"
        for what, version in now.get("versions", {}).items()
        if what in was.get("versions", {}) and what != "vlpbench" and was["versions"][what] != version
    ]
    told += _other_files(was.get("fingerprints", {}), now.get("fingerprints", {}), both)
    return told or [*_one_sided(old, new), *_one_sided_prints(was, now)]


def _other_files(old: Mapping[str, str], new: Mapping[str, str], changed: Collection[str]) -> Iterator[str]:
    """What is in data sets and initial weights, unless the settings of the set have changed and say it already."""
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name] and not any(key.startswith(f"data.{name}.") for key in changed):
            yield f"the files of {'' if name.startswith('init.') else 'data set '}{name} have changed"


def _one_sided(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    gone = [f"{key} was {shown(old[key])}, is not there" for key in old if key not in new]
    return gone + [f"{key} was not there, is {shown(new[key])}" for key in new if key not in old]


def _one_sided_prints(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    old, new = was.get("fingerprints", {}), now.get("fingerprints", {})
    return [f"{name} was {'read' if name in old else 'not read'}" for name in sorted(old.keys() ^ new.keys())]
