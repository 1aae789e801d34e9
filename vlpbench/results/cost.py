"""What each row of a table cost: sizes, work and wall time, counted and not guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from vlpbench.results.beside import BESIDE, beside_text

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["cost"]

_COSTS = ("parameters", "image_tokens", "samples", "target_tokens", "flops", "seconds", "device")


def cost(results: Results) -> pd.DataFrame:
    """One line a row, in the grid's order: means over its finished cells, where they differ at all."""
    done = results.frame[results.frame["status"] == "done"].drop_duplicates("cell")
    order = [row for one in results.orders for row in one.rows]
    rows = sorted(done["row"].unique(), key=lambda row: order.index(row) if row in order else len(order))
    lines = {
        row: {BESIDE[name].head: beside_text(done[done["row"] == row], name) for name in _COSTS} for row in rows
    }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("row")
