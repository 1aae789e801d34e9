"""Mean and spread over seeds of every place of a table at once; a cell that is missing is never averaged away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BAD", "HOW", "Place", "Spread", "Spreads", "half_interval", "spreads_of"]

Place = tuple[str, str]
"""Grid and row; in a pivot what a line and what a column is called."""

BAD = ("failed", "timeout", "damaged")
"""How cells end that were begun and have no scores."""

HOW = ("protocol", "head", "data", "split", "normalisation", "images", "metrics_version")
"""Columns of the frame that say how values were measured."""

_READ = ("task", "metric", "value", "seed", "cell", "status", "reason", *HOW)


@dataclass(frozen=True)
class Spread:
    """One metric at one place, over seeds. Numbers are on the frame's scale."""

    values: tuple[float, ...] = ()
    """Of the cells that have one, in the frame's order."""
    wanted: int = 0
    """How many seeds the place has, whatever became of them."""
    status: str = "done"
    """done with any value, else what became of the cells."""
    reason: str = ""
    """Why there is no value, or not one of every seed; empty where nothing is known."""
    bad: tuple[str, ...] = ()
    """Ids of the cells that failed, ran out of time or are damaged."""
    how: Mapping[str, str] = field(default_factory=dict)
    """Column of `HOW` -> what the seeds say, joined by a stroke where they differ."""

    @property
    def n(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """NaN without a value."""
        return float(np.mean(self.values)) if self.values else float("nan")

    @property
    def std(self) -> float:
        """Over seeds, n - 1 in the denominator; NaN for fewer than two."""
        return float(np.std(self.values, ddof=1)) if self.n > 1 else float("nan")


@dataclass(frozen=True)
class Spreads:
    """All places of some results."""

    tasks: Mapping[Place, tuple[str, ...]]
    """Place -> its tasks, in the frame's order."""
    metrics: Mapping[str, tuple[str, ...]]
    """Task -> all metrics that any place has, in the frame's order."""
    valued: frozenset[tuple[str, str]]
    """(task, metric) of which any place has a value."""
    lines: Mapping[tuple[Place, str], Sequence[Mapping[str, Any]]]
    """(place, task) -> its lines of the frame."""
    known: dict[tuple[Place, str, str], Spread] = field(default_factory=dict, compare=False, repr=False)
    """What was asked for before: many ask for the same."""

    def of(self, place: Place, task: str, metric: str) -> Spread | None:
        """One metric of a task at a place; None where the place has no such task."""
        here = self.lines.get((place, task))
        if here is None:
            return None
        if (place, task, metric) not in self.known:
            self.known[place, task, metric] = self._of(here, metric)
        return self.known[place, task, metric]

    def _of(self, here: Sequence[Mapping[str, Any]], metric: str) -> Spread:
        mine = [line for line in here if line["metric"] == metric]
        values = tuple(line["value"] for line in mine if line["value"] == line["value"])
        why = [line["reason"] for line in here if line["metric"] in (metric, "") and line["reason"]]
        return Spread(
            values, len({line["seed"] for line in here}), "done" if values else _status(here), why[0] if why else "",
            tuple(dict.fromkeys(line["cell"] for line in here if line["status"] in BAD)),
            {name: _joined(line[name] for line in mine) for name in HOW},
        )


def spreads_of(frame: pd.DataFrame, places: Sequence[Place]) -> Spreads:
    """Group a tidy frame once; `places` says of each line where it belongs."""
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in _READ]
    tasks: dict[Place, dict[str, None]] = {}
    metrics: dict[str, dict[str, None]] = {}
    valued = set()
    lines: dict[tuple[Place, str], list[dict[str, Any]]] = {}
    for place, *said in zip(places, *columns, strict=True):
        line = dict(zip(_READ, said, strict=True))
        line["value"] = float("nan") if line["value"] is None else line["value"]
        task, metric = line["task"], line["metric"]
        tasks.setdefault(place, {})[task] = None
        lines.setdefault((place, task), []).append(line)
        if metric:
            metrics.setdefault(task, {})[metric] = None
        if line["value"] == line["value"]:
            valued.add((task, metric))
    return Spreads(
        {place: tuple(one) for place, one in tasks.items()}, {task: tuple(one) for task, one in metrics.items()},
        frozenset(valued), lines,
    )


def half_interval(spread: Spread, level: float = 0.95) -> float:
    """Half of the t interval of the expected score over new seeds on this test set.

    NaN for fewer than two values, and where all are alike: no spread was seen, which does not say that there is none.
    """
    if spread.n < 2 or not spread.std > 0:
        return float("nan")
    from scipy.special import stdtrit

    return float(stdtrit(spread.n - 1, (1 + level) / 2)) * spread.std / float(spread.n**0.5)


def _joined(said: Iterable[Any]) -> str:
    """What a place's seeds say, once each."""
    return " / ".join(dict.fromkeys(str(one) for one in said if one is not None))


def _status(lines: Sequence[Mapping[str, Any]]) -> str:
    """Of a place without a value: what is still to come goes before what has failed."""
    found = [str(line["status"]) for line in lines]
    return next((status for status in ("n/a", "pending") if status in found), found[0])
