"""From records to a paper: `vlpbench.results.load("results/demo").frame` is a tidy DataFrame, `.wide()` the table."""

from __future__ import annotations

from vlpbench.results.columns import COLUMNS, FRAME_SCHEMA
from vlpbench.results.frame import Results, load

__all__ = ["COLUMNS", "FRAME_SCHEMA", "Results", "load"]
