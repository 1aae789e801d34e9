"""Columns that may stand beside the scores of a table: what each row is made of and what it cost, units in the head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BESIDE", "Beside", "column_of"]


@dataclass(frozen=True)
class Beside:
    """How one column of the frame is printed, one value a row."""

    head: str
    """Head of the column, with the unit."""
    unit: float = 1.0
    """What the frame's numbers are divided by."""
    decimals: int = 0
    """Digits behind the point."""
    column: str = ""
    """Column of the frame; empty where it is called the same."""
    is_text: bool = False
    """Whether it is no number: all that a row's cells say, joined."""
    is_cost: bool = True
    """Whether it is something that a row had to be given; how fast a machine was is not."""


BESIDE: Mapping[str, Beside] = {
    "parameters": Beside("parameters (M)", 1e6, 2),
    "image_tokens": Beside("image tokens"),
    "samples": Beside("samples seen"),
    "target_tokens": Beside("targets"),
    "flops": Beside("pretraining TFLOP", 1e12, 2),
    "seconds": Beside("seconds a cell", column="alone_seconds"),
    "hours": Beside("device-hours a cell", 3600.0, 2, column="alone_seconds"),
    "pairs_per_second": Beside("pairs/s", is_cost=False),
    "tflops": Beside("TFLOP/s", decimals=2, is_cost=False),
    "objective": Beside("objective", is_text=True),
    "stem": Beside("stem", is_text=True),
    "trunk": Beside("trunk", is_text=True),
    "size": Beside("size", is_text=True),
    "device": Beside("device", is_text=True),
}
"""What `beside = [...]` of a grid and `report table --beside` may name."""


def column_of(name: str) -> str:
    """The frame's column behind a name of `BESIDE`."""
    return BESIDE[name].column or name
