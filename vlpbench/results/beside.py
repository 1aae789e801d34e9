"""Columns that may stand beside the scores of a table: what each row is made of and what it cost, units in the head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BESIDE", "Beside", "beside_text"]


@dataclass(frozen=True)
class Beside:
    """How one column of the frame is printed, one value a row."""

    head: str
    """Head of the column, with the unit."""
    unit: float = 1.0
    """What the frame's numbers are divided by."""
    form: str = ",.0f"
    """Format of the number."""
    is_text: bool = False
    """Whether it is no number: all that a row's cells say, joined."""


BESIDE: Mapping[str, Beside] = {
    "parameters": Beside("parameters (M)", 1e6, ",.2f"),
    "image_tokens": Beside("image tokens"),
    "samples": Beside("samples seen"),
    "target_tokens": Beside("targets"),
    "flops": Beside("pretraining TFLOP", 1e12, ",.2f"),
    "seconds": Beside("seconds a cell"),
    "objective": Beside("objective", is_text=True),
    "stem": Beside("stem", is_text=True),
    "trunk": Beside("trunk", is_text=True),
    "size": Beside("size", is_text=True),
    "device": Beside("device", is_text=True),
}
"""What `beside = [...]` of a grid and `report table --beside` may name, by the frame's name of it."""


def beside_text(cells: pd.DataFrame, name: str) -> str:
    """One row's text in a column: the mean over its cells that know it (`cells`: one line a cell); "–" if none does."""
    column = BESIDE[name]
    there = cells[name].dropna()
    if there.empty:
        return "–"
    if column.is_text:
        return ", ".join(sorted({str(one) for one in there}))
    value = float(there.astype(float).mean()) / column.unit
    return f"{value:.2g}" if column.unit > 1 and 0 < value < 0.1 else f"{value:{column.form}}"
