"""The table of a grid as a frame of text: scores, what stands beside them, published numbers, floors under the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.build import plain_scores
from vlpbench.results.tables.entry_text import frame

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["wide"]


def wide(
    results: Results, metrics: Sequence[str] | None = None, beside: Sequence[str] | None = None
) -> pd.DataFrame:
    """Rows of the grid, then floors (their names in asterisks); one column a task and metric; every cell is text.

    What stands `beside` the scores (names of `BESIDE`; None: what the grids say) comes first, a published number
    right behind ours, also in a row that has none of ours.
    """
    asked = Asked(metrics=tuple(metrics or ()), beside=None if beside is None else tuple(beside))
    table = plain_scores(results, asked)
    found = frame(table)
    found.index = found.index.where([line.kind == "row" for line in table.lines], "*" + found.index.astype(str) + "*")
    return found
