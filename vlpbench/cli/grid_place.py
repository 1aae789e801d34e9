"""What GRID or RESULTS means on the command line: a grid that is open, or what a results folder tells of one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vlpbench.cli.session import Session
from vlpbench.config.gridfile import parse_file
from vlpbench.errors import UserError, nearest
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import Claims
from vlpbench.registry import Registry
from vlpbench.results.grid_order import read_order
from vlpbench.runner.earlier import Asked, asked_by, asked_in
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.standing import Standing, standings, states
from vlpbench.runner.workbench import opened_here

__all__ = ["Place", "is_results", "name_of", "place_of", "typed"]

@dataclass(frozen=True)
class Place:
    """A grid, and where its records are."""

    said: str
    """What to type for it: a grid file or name, or its results folder."""
    name: str
    """Name of the grid."""
    results: Path
    """Its own folder under the results."""
    asked: Sequence[Asked]
    """Its cells, in order."""
    cells: Sequence[Cell] = ()
    """The same, ready to be run; none where the results alone are known."""
    registry: Registry | None = None
    """What the grid is made of; None where the results alone are known."""
    notes: Sequence[str] = field(default=())
    """What is to be said of how this was found."""

    @property
    def claims(self) -> Claims:
        """Who runs what."""
        return Claims(self.results / CLAIMS)

    def states(self) -> dict[str, Standing]:
        """Cell id -> its state and why."""
        return states(self.asked, self.results, self.claims)

    def standings(self, also: str = "") -> dict[str, Standing]:
        """The same, where that is known with the stages of each cell that is not done, and of the one called `also`."""
        if self.registry is None:
            return self.states()
        return standings(self.cells, self.results, self.registry, self.claims, also)

    def chosen(self, said: str) -> Asked:
        """The cell that an id (which may be cut short) or a row's name means; UserError with the nearest one."""
        found = [one for one in self.asked if one.id.startswith(said)] if said else []
        found = found or [one for one in self.asked if said in (one.row, name_of(one), one.folder)]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(f"{one.id} ({name_of(one)})" for one in found[:4]) + ", ..." * (len(found) > 4)
            raise UserError(f"{said!r} means {len(found)} cells", remedy=f"say which: {listed}")
        near = nearest(said, [name for one in self.asked for name in (one.id, one.row, name_of(one))])
        guess = f"did you mean {near!r}? " if near else ""
        raise UserError(
            f"{self.name} has no cell {said!r}", remedy=f"{guess}vlpbench grid status {self.said} lists them"
        )


def name_of(asked: Asked) -> str:
    """What a person calls a cell."""
    return f"{asked.row}, seed {asked.seed}"


def is_results(folder: Path) -> bool:
    """Whether a folder holds the results of one grid."""
    return (folder / "grid.json").is_file() or (folder / "cells").is_dir()


def place_of(said: str, overrides: Sequence[str], results: Path, session: Session) -> Place:
    """The grid that a person means: a results folder, a grid file, the name of a grid, or of its folder in the results.

    Where the data of a grid cannot be read here, what its results tell of it.
    """
    folder = Path(said)
    if is_results(folder):
        if overrides:
            raise UserError(f"{said} is a results folder: its settings are what they were", "-S", "name the grid file")
        return _left(said, folder)
    try:
        grid, registry = open_grid(said, overrides, session.files, session.blocked)
    except UserError as wrong:
        if is_results(results / said):
            return _left(str(results / said), results / said)
        wrong.remedy = _hint(wrong, folder, results)
        raise
    own = results / grid.name
    try:
        found = cells(grid, registry, opened_here)
    except UserError as wrong:
        if not is_results(own):
            raise
        told = _left(str(own), own)
        note = f"the grid cannot be looked at here, so this is what {own} tells: {str(wrong).splitlines()[0]}"
        return Place(told.said, told.name, own, told.asked, notes=(note,))
    return Place(typed(said, overrides), grid.name, own, [asked_by(cell) for cell in found], found, registry)


def typed(said: str, overrides: Sequence[str]) -> str:
    """A grid and what -S says over it, to be typed again."""
    return shlex.join([said, *(word for one in overrides for word in ("-S", one))])


def _left(said: str, folder: Path) -> Place:
    """What a results folder tells by itself."""
    name = read_order(folder).name
    note = f"{folder / 'grid.json'} is missing, which lists the cells: run the grid to have it again"
    return Place(said, name, folder, asked_in(folder), notes=() if (folder / "grid.json").is_file() else (note,))


def _hint(wrong: UserError, said: Path, results: Path) -> str:
    """The remedy of an error about a grid, with the results folder that may have been meant, or that helps."""
    if said.is_file():
        own = results / str(parse_file(said)[0].get("name", said.stem))
        told = f"{own} tells of its cells without the grid" if is_results(own) else ""
        return "; ".join(one for one in (wrong.remedy, told) if one)
    inside = sorted(one.parent for one in said.glob("*/grid.json"))
    near = nearest(said.name, [one.parent.name for one in results.glob("*/grid.json")])
    meant = inside[0] if inside else results / near if near else None
    return wrong.remedy if meant is None else f"did you mean {meant}? {wrong.remedy}".strip()
