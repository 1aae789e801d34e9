"""How training went, as a tidy frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["CURVE_COLUMNS", "curves"]

CURVE_COLUMNS = ("grid", "row", "cell", "seed", "stage", "step", "name", "value")


def curves(results: Results) -> pd.DataFrame:
    """grid, row, cell, seed, stage (pretrain, or a task's fine-tune), step, name (loss, lr, a figure), value.

    A line for each number that a finished cell logged; steps count from 0.
    """
    import pandas as pd

    lines: list[tuple[Any, ...]] = []
    for one in results.records():
        who = (one.order.name, one.asked["row"], one.id, one.asked["seed"])
        for point in one.cell.curve():
            where = (point.get("stage", ""), point.get("step"))
            lines += [(*who, *where, name, value) for name, value in point.items() if name not in ("stage", "step")]
    return pd.DataFrame(lines, columns=list(CURVE_COLUMNS))
