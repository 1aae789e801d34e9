"""What each cell was asked to be: one line a cell, one column a setting, in the words of a grid file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vlpbench.config.known import backbone_parts
from vlpbench.results.grid_words import in_grid_words

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results
    from vlpbench.results.records import Record

__all__ = ["FIRST", "settings_frame"]

FIRST = ("grid", "row", "cell", "seed", "status")
"""Columns before the settings."""


def settings_frame(results: Results) -> pd.DataFrame:
    """grid, row, cell, seed, status, objective, stem, trunk, size, then all other settings by their dotted keys.

    A cell of which no record tells has its settings missing. Lists are JSON text: every value can be grouped by.
    """
    import pandas as pd

    lines = {(one.order.name, one.id): _line(one) for one in results.held}
    cells = results.frame.drop_duplicates(["grid", "cell"])[list(FIRST)]
    rows = [dict(zip(FIRST, cell, strict=True)) for cell in cells.itertuples(index=False)]
    found = pd.DataFrame([row | lines.get((row["grid"], row["cell"]), {}) for row in rows])
    return found if len(found) else pd.DataFrame(columns=list(FIRST))


def _line(record: Record) -> dict[str, Any]:
    settings = record.asked["settings"]
    stem, trunk, size = backbone_parts(settings["backbone"])
    first = {"status": record.state, "objective": settings["objective"], "stem": stem, "trunk": trunk, "size": size}
    rest = {
        key: json.dumps(value) if isinstance(value, list | dict) else value
        for key, value in in_grid_words(settings).items() if key not in FIRST
    }
    return {**first, **rest}
