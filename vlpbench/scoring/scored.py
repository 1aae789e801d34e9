"""What every scorer gives back: the object that --json prints, the table for people, and one row an example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vlpbench.metrics import VERSION
from vlpbench.scoring.per_example import Row

__all__ = ["Scored"]


@dataclass(frozen=True)
class Scored:
    """Scores of one pair of files."""

    found: Mapping[str, Any]
    """Plain data, numbers unrounded: what --json prints. Null where its `reasons` say why."""
    text: str
    """The same as a small table with units, and under it what must be said."""
    rows: Callable[[], list[Row]]
    """Makes one row a question, image or query, for --per-example."""

    def plain(self) -> dict[str, Any]:
        """`found` with the version of the metric set, which every record names."""
        return {**self.found, "metric_set": VERSION}
