"""What a study took: devices, hours a cell and in all, unfinished work included; FLOPs, memory, parameters."""

from __future__ import annotations

from vlpbench.results.compute.model import Compute, Machine, RowCost, StageCost, StateCost
from vlpbench.results.compute.text import compute_text
from vlpbench.results.compute.total import compute

__all__ = ["Compute", "Machine", "RowCost", "StageCost", "StateCost", "compute", "compute_text"]
