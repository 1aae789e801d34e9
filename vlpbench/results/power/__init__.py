"""How many seeds and how many test images a gap needs, from the spread that results show."""

from __future__ import annotations

from vlpbench.results.power.asked import GAPS, PowerAsked
from vlpbench.results.power.estimate import power
from vlpbench.results.power.found import Power
from vlpbench.results.power.text import power_text

__all__ = ["GAPS", "Power", "PowerAsked", "power", "power_text"]
