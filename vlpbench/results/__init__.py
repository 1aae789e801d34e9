"""From records to a paper: `vlpbench.results.load("results/demo").frame` is a tidy DataFrame, `.wide()` the table."""

from __future__ import annotations

from vlpbench.results.frame import COLUMNS, Results, load

__all__ = ["COLUMNS", "Results", "load"]
