"""What an interval or a test says, and what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["ABOUT", "Finding", "Target"]

Target = Literal["seeds", "seeds and examples", "examples"]
"""What varies when a study is imagined to be repeated."""

ABOUT: Mapping[Target, str] = {
    "seeds": "the expected score of this recipe over new seeds, on this test set",
    "seeds and examples": "the expected score of this recipe over new seeds and new test examples",
    "examples": "the score of these very models on new test examples",
}
"""Each target in words."""


@dataclass(frozen=True)
class Finding:
    """A mean, or a mean difference, with its interval and test. Numbers have the unit of the scores."""

    estimate: float
    """The mean (difference)."""
    low: float
    """Lower end of the interval; NaN where none can be had."""
    high: float
    """Upper end."""
    p: float
    """Two-sided, of no difference; NaN where there is no test."""
    n: int
    """Seeds that went into it."""
    target: Target
    """What it is about."""
    method: str
    """Such as "paired t over 6 seeds"."""
    level: float = 0.95
    """Of the interval."""
    note: str = ""
    """A sentence: what it cannot carry at this n, or what it assumes."""
