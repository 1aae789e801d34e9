"""What each row of a table cost: sizes, work and wall time, counted and not guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["cost"]


def cost(results: Results) -> pd.DataFrame:
    """One line a row, in the grid's order; seconds are the mean over its finished cells, all else is equal in them."""
    done = results.frame[results.frame["status"] == "done"].drop_duplicates("cell")
    order = [row for one in results.orders for row in one.rows]
    rows = sorted(done["row"].unique(), key=lambda row: order.index(row) if row in order else len(order))
    lines = {row: _line(done[done["row"] == row]) for row in rows}
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("row")


def _line(cells: pd.DataFrame) -> dict[str, str]:
    one = cells.iloc[0]
    return {
        "parameters": f"{one['parameters'] / 1e6:.2f} M",
        "image tokens": f"{int(one['image_tokens'])}",
        "samples seen": f"{int(one['samples']):,}",
        "targets": f"{int(one['target_tokens']):,}",
        "pretraining TFLOP": f"{one['flops'] / 1e12:.2f}",
        "seconds a cell": f"{cells['seconds'].mean():.0f}",
        "device": ", ".join(sorted(cells["device"].unique())),
    }
