"""Which cell of a grid a person means who names a row, a seed, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence

from vlpbench.errors import UserError, unknown
from vlpbench.grid import Cell

__all__ = ["cell_called", "cells_of_row", "chosen_cell"]


def cells_of_row(found: Sequence[Cell], row: str) -> list[Cell]:
    """The cells of a row, all cells without a name; UserError if there is no such row."""
    names = list(dict.fromkeys(cell.row for cell in found))
    if row and row not in names:
        raise unknown("row", row, names, "--row")
    return [cell for cell in found if cell.row == row or not row]


def chosen_cell(found: Sequence[Cell], row: str, seed: int | None) -> Cell:
    """The first cell of a row with a seed, whether it can be run or not; UserError if there is none."""
    wanted = cells_of_row(found, row)
    if not wanted:
        raise UserError("the grid has no cells", remedy="look at its exclude")
    fitting = [cell for cell in wanted if seed is None or cell.seed == seed]
    if not fitting:
        seeds = sorted({cell.seed for cell in wanted})
        raise UserError(f"no cell has the seed {seed}", "--seed", f"there are {', '.join(map(str, seeds))}")
    return fitting[0]


def cell_called(found: Sequence[Cell], said: str, grid: str) -> Cell:
    """The one cell whose id begins so, without an id the first; among those that pretrain and can be run.

    UserError where there is none, or where the one that is meant does not pretrain or cannot be run.
    """
    match = [cell for cell in found if cell.id.startswith(said)]
    usable = [cell for cell in match if cell.reason is None and cell.settings.objective != "none"]
    if said and len(match) != 1:
        many = f"{len(match)} cells begin with" if match else "there is no cell"
        raise UserError(f"{many} {said!r}", grid, f"vlpbench run grid {grid} --dry-run lists the ids")
    if not usable and match:
        why = match[0].reason or "it does not pretrain: its objective is none"
        raise UserError(f"{match[0].row}, seed {match[0].seed}: {why}", grid, "name a cell that pretrains")
    if not usable:
        raise UserError("the grid has no cells", grid, "look at its exclude")
    return usable[0]
