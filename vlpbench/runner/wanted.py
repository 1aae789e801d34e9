"""What a grid has a use for in its results: the records of its cells, the stages they refer to, what somebody holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlpbench.grid import Cell
from vlpbench.records import Claims
from vlpbench.records.claim_files import file_of, generations, stem_of, stems, temporaries
from vlpbench.registry import Registry
from vlpbench.runner.earlier import Asked, asked_by, asked_in
from vlpbench.runner.stages import stages_of

__all__ = ["Wanted", "dead_claims", "sharers", "wanted_by"]


@dataclass(frozen=True)
class Wanted:
    """What is no orphan, and what is one for sure."""

    records: Collection[str]
    """Names of the folders of the grid's cells."""
    stages: Collection[str] | None
    """Names of the stages that its cells refer to; None where that is not known, and no stage is an orphan."""
    last: Collection[str] = ()
    """Names of the folders of the cells that the last run asked for: a grid that was run with -S has others without."""
    held: Collection[str] = ()
    """Names that living claims hold, of records and stages."""
    dead: Collection[Path] = ()
    """Files of claims whose holders are dead."""


def wanted_by(
    asked: Sequence[Asked], cells: Sequence[Cell], results: Path, registry: Registry | None, claims: Claims
) -> Wanted:
    """What a grid has a use for; of which only the results are known (`registry` None), its stages are not.

    Nor are they while the last run asked for other cells, or while a cell is still to be tuned.
    """
    records, last = ({one.folder for one in found} for found in (asked, asked_in(results)))
    stages = None
    if registry is not None and last <= records and all(_is_tuned(cell, results, registry) for cell in cells):
        stages = frozenset(sharers(cells, results, registry))
    return Wanted(records, stages, last, frozenset(claims.all()), tuple(dead_claims(claims)))


def _is_tuned(cell: Cell, results: Path, registry: Registry) -> bool:
    """Whether all stages of a cell are known: what is tried decides the others."""
    tries = cell.settings.tune.tries and cell.reason is None
    return not tries or any(stage.label != "tune" for stage in stages_of(cell, results, registry))


def sharers(cells: Sequence[Cell], results: Path, registry: Registry) -> Mapping[str, list[Asked]]:
    """Name of a stage -> the cells that refer to it, in their order."""
    found: dict[str, list[Asked]] = {}
    for cell in cells:
        if cell.reason is None:
            for stage in stages_of(cell, results, registry):
                found.setdefault(stage.folder.path.name, []).append(asked_by(cell))
    return found


def dead_claims(claims: Claims) -> Iterator[Path]:
    """The files of claims that nobody alive has, and those that dead processes were writing."""
    alive = {stem_of(name) for name in claims.all()}
    for stem in stems(claims.folder):
        if stem not in alive:
            yield from (claims.folder / file_of(stem, one) for one in generations(claims.folder, stem))
    for half, file, _ in temporaries(claims.folder):
        if not any(file.name.startswith(f"{stem}-") for stem in alive):
            yield half
