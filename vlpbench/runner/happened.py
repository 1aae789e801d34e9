"""What cells that are done have taken, as their records tell: the other half of an estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vlpbench.records import cell_folders

__all__ = ["Happened", "happened"]


@dataclass(frozen=True)
class Happened:
    """What the finished cells of one row took together."""

    cells: int = 0
    """How many."""
    seconds: float = 0.0
    """Seconds of all their stages, without the start of their processes."""
    peak_bytes: int = 0
    """Most memory that one of them held."""


def happened(results: Path, cells: Mapping[str, str]) -> dict[str, Happened]:
    """Row -> what its cells took; `cells`: id of those asked about -> row. `results` is the grid's own folder."""
    found = {row: Happened() for row in cells.values()}
    for folder in cell_folders(results):
        row = cells.get(str(folder.read("settings.json")["id"]))
        timing = folder.facts("timing")
        if row is None or folder.status().get("state") != "done" or not timing:
            continue
        before = found[row]
        found[row] = Happened(
            before.cells + 1, before.seconds + float(timing["total"]), max(before.peak_bytes, int(timing["peak_bytes"]))
        )
    return found
