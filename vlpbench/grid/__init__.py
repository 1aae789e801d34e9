"""Axes and named rows become cells, each with its id and with the reason not to run it, if there is one."""

from __future__ import annotations

from vlpbench.grid.cells import Cell, cells
from vlpbench.grid.fingerprints import Opener, open_source
from vlpbench.grid.open import find_grid, open_grid
from vlpbench.grid.origins import origins
from vlpbench.grid.reasons import task_why_not, why_not

__all__ = [
    "Cell", "Opener", "cells", "find_grid", "open_grid", "open_source", "origins", "task_why_not", "why_not",
]
