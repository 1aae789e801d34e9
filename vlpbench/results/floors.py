"""What stands under a table: the scores of chance and of the majority answer, on the very examples of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["floors"]


def floors(results: Results) -> pd.DataFrame:
    """grid, floor, task, metric, value: one line each, from the first finished cell that measured it."""
    import pandas as pd

    found: dict[tuple[str, str, str, str], float] = {}
    for one in results.records():
        for task, said in one.scores["tasks"].items():
            for floor, values in said.get("floors", {}).items():
                for metric, value in values.items():
                    found.setdefault((one.order.name, floor, task, metric), value)
    rows = [(*key, value) for key, value in found.items()]
    mine = pd.DataFrame(rows, columns=["grid", "floor", "task", "metric", "value"]).astype({"value": float})
    return mine if results.kept_floors is None else pd.concat([mine, results.kept_floors], ignore_index=True)
