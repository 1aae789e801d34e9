"""What a grid has no use for in its results, as lines: for `grid status`, `run grid --dry-run` and `grid clean`."""

from __future__ import annotations

from collections import Counter

from vlpbench.cli.grid_place import Place
from vlpbench.cli.sizes import size
from vlpbench.runner.orphans import KINDS, Orphan, orphans
from vlpbench.runner.wanted import Wanted, wanted_by

__all__ = ["waste", "waste_line"]

_NAMES = {
    "record": ("record of earlier settings", "records of earlier settings"),
    "stage": ("stage that no cell uses", "stages that no cell uses"),
    "checkpoint": ("checkpoint of a finished stage", "checkpoints of finished stages"),
    "claim": ("claim of a dead runner", "claims of dead runners"),
    "temporary": ("half-written file", "half-written files"),
}


def waste(place: Place) -> tuple[list[Orphan], Wanted]:
    """The orphans in the results of a grid, and what the grid has a use for."""
    wanted = wanted_by(place.asked, place.cells, place.results, place.registry, place.claims)
    return orphans(place.results, wanted), wanted


def waste_line(place: Place) -> str:
    """One line that counts the orphans and says who lists them; empty where there are none.

    Stages are not counted: to know which are of use takes seconds in a grid of a thousand cells.
    """
    if not place.asked:
        return ""  # what belongs to the grid is not known
    found = orphans(place.results, wanted_by(place.asked, (), place.results, None, place.claims))
    if not found:
        return ""
    counts = Counter(one.kind for one in found)
    told = ", ".join(f"{counts[kind]} {_NAMES[kind][counts[kind] != 1]}" for kind in KINDS if counts[kind])
    verb = "is" if len(found) == 1 else "are"
    taken = size(sum(one.bytes for one in found))
    return f"{told} {verb} left alone ({taken}); vlpbench grid clean {place.said} lists them"
