"""What a plot shows of a task and metric: each row's scores over seeds with their interval, in the scale of print."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vlpbench.errors import UserError, unknown
from vlpbench.results.metric_names import factor
from vlpbench.results.shown_metrics import in_order
from vlpbench.results.statistics import Finding, mean_over_seeds

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["RowScores", "floor_scores", "label", "named_rows", "row_scores", "scored_tasks", "subject"]

HEADLINES: Mapping[str, tuple[str, ...]] = {
    "vqa": ("accuracy", "exact", "multiple_choice"), "captioning": ("CIDEr", "Bleu_4"), "retrieval": ("TR@1", "IR@1"),
    "classification": ("accuracy", "mean_per_class"),
}
"""The metric of a task that is drawn where none is asked for: the first that has a value."""

_NOTHING = Finding(math.nan, math.nan, math.nan, math.nan, 0, "seeds", "no seed")


@dataclass(frozen=True)
class RowScores:
    """One row's scores. Unit: that of print (percent; caption scores times 100)."""

    name: str
    """The row, with its grid before it where there are several."""
    grid: str
    """Its grid."""
    row: str
    """Its name in the grid."""
    scores: tuple[float, ...]
    """One a seed that has a value, seeds ascending."""
    mean: float
    """NaN where there is no score."""
    low: float
    """Lower end of the 95 % t interval over seeds; NaN for fewer than two."""
    high: float
    """Upper end."""
    wanted: int
    """Seeds that the grid asks for."""
    instead: str
    """Where there is no score, what became of it: "failed", "pending", "n/a: needs decode"; else empty."""
    is_reference: bool
    """Whether the grid names it as what others are compared to."""
    is_blind: bool
    """Whether its images were blanked: it shows what can be had without looking, and competes with no row."""

    @property
    def title(self) -> str:
        """Its name, with the number of seeds where some have no score."""
        some = self.scores and len(self.scores) != self.wanted
        return f"{self.name} (n={len(self.scores)}/{self.wanted})" if some else self.name


def scored_tasks(results: Results) -> dict[str, str]:
    """Task -> the metric that is drawn of it, for all tasks with a value, in the grids' order."""
    frame = results.frame[results.frame["value"].notna()]
    order = dict.fromkeys([*(task for one in results.orders for task in one.tasks), *frame["task"].unique()])
    found: dict[str, str] = {}
    for task in order:
        there = list(frame.loc[frame["task"] == task, "metric"].unique())
        usual = [metric for metric in HEADLINES.get(task.partition("@")[0], ()) if metric in there]
        if there:
            found[task] = (usual or there)[0]
    return found


def subject(results: Results, task: str, metric: str) -> tuple[str, str]:
    """Task and metric that are asked for, or the first that there are; UserError where there is no such score."""
    tasks = scored_tasks(results)
    if not tasks:
        raise UserError("no cell has a score yet", remedy="run the grid first")
    if task and task not in tasks:
        raise unknown("task", task, tasks, "--task")
    frame = results.frame[results.frame["value"].notna()]
    of = {one: sorted(frame.loc[frame["task"] == one, "metric"].unique()) for one in tasks}
    chosen = task or next((one for one in tasks if not metric or metric in of[one]), next(iter(tasks)))
    if metric and metric not in of[chosen]:
        raise unknown(f"metric of {chosen}", metric, of[chosen], "--metric")
    return chosen, metric or tasks[chosen]


def label(results: Results, grid: str, row: str) -> str:
    """What a row is called: with its grid before it where there are several."""
    return f"{grid}: {row}" if len({order.name for order in results.orders}) > 1 else row


def named_rows(results: Results) -> list[tuple[str, str]]:
    """(grid, row) of all rows, in the grids' order, then whatever else there is."""
    order = [(one.name, row) for one in results.orders for row in one.rows]
    return in_order(order, zip(results.frame["grid"], results.frame["row"], strict=True))


def row_scores(results: Results, task: str, metric: str) -> list[RowScores]:
    """One entry a row that the task was asked of, in the grids' order."""
    frame = results.frame[results.frame["task"] == task]
    lines: dict[Any, Any] = dict(frame.groupby(["grid", "row"]).indices)
    seeds, blind = frame["seed"].to_numpy(), frame["blind"].eq(True).fillna(False).to_numpy(bool)
    values = (frame["value"].where(frame["metric"] == metric) * factor(metric)).to_numpy(float)
    references = {(one.name, one.reference) for one in results.orders}
    found = []
    for key in named_rows(results):
        if key in lines:
            mine = lines[key]
            there = mine[~np.isnan(values[mine])]
            scores = values[there[np.argsort(seeds[there], kind="stable")]]
            said = mean_over_seeds(scores) if len(scores) else _NOTHING
            instead = "" if len(scores) else _instead(frame.iloc[mine], metric)
            found.append(RowScores(
                label(results, *key), *key, tuple(map(float, scores)), said.estimate, said.low, said.high,
                len(set(seeds[mine])), instead, key in references, bool(blind[mine].any()),
            ))
    return found


def _instead(mine: pd.DataFrame, metric: str) -> str:
    """Why a row has no score: its reason where the task does not apply, else what became of its cells."""
    lines = mine[mine["metric"].isin([metric, ""])]
    for status in ("n/a", "failed", "timeout", "damaged"):
        here = lines[lines["status"] == status]
        if len(here):
            reason = str(here["reason"].iloc[0])
            return reason if status == "n/a" and reason else status
    return "pending" if (lines["status"] == "pending").any() else "no score"


def floor_scores(results: Results, task: str, metric: str) -> dict[str, float]:
    """Chance, majority, ...: name -> score, where all grids agree on it."""
    floors = results.floors()
    mine = floors[(floors["task"] == task) & (floors["metric"] == metric)].dropna(subset="value")
    by_name = {str(name): set(values) for name, values in mine.groupby("floor", sort=False)["value"]}
    return {name: float(min(values)) * factor(metric) for name, values in by_name.items() if len(values) == 1}
