"""Intervals and tests that say what they are about: new seeds, new examples, or both. Arrays in, findings out."""

from __future__ import annotations

from vlpbench.results.statistics.finding import ABOUT, Finding, Target

__all__ = ["ABOUT", "Finding", "Target"]
