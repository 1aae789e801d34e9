"""Which metrics a table shows where none are asked for, and the order of its tasks and rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from vlpbench.errors import unknown
from vlpbench.metrics.names import extras_among
from vlpbench.results.published import published_by_column
from vlpbench.results.spreads import Spreads

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["SHOWN", "check_metrics", "in_order", "scores_of", "shown_metrics"]

Name = TypeVar("Name", str, tuple[str, str])

SHOWN: Mapping[str, tuple[str, ...]] = {
    "vqa": ("accuracy", "exact", "exact_normalised", "multiple_choice"),
    "captioning": ("Bleu_4", "CIDEr", "METEOR", "SPICE"),
    "retrieval": ("TR@1", "TR@5", "TR@10", "IR@1", "IR@5", "IR@10"),
    "classification": ("accuracy", "mean_per_class"),
}
"""Metrics of a table where none are asked for, by task; one that no row has a value of is left out."""


def check_metrics(results: Results, metrics: Sequence[str] | None) -> None:
    """UserError for a metric that no row has, where there are any."""
    known = sorted(metric for metric in results.frame["metric"].unique() if metric)
    for metric in metrics or () if known else ():
        if metric not in known:
            raise unknown("metric", metric, known, "--metric")


def scores_of(results: Results, found: Spreads, metrics: Sequence[str] | None) -> list[tuple[str, str]]:
    """Task and metric of every column of a table, in the order of the grids' tasks."""
    return list(dict.fromkeys(one for _, one in _by_grid(results, found, metrics)))


def _by_grid(
    results: Results, found: Spreads, metrics: Sequence[str] | None
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Name of each grid with each task and metric that is shown of it."""
    published = published_by_column(results.orders, metrics)
    pairs = dict.fromkeys(zip(results.frame["grid"], results.frame["task"], strict=True))
    for order in results.orders:
        for task in in_order(order.tasks, [task for grid, task in pairs if grid == order.name]):
            beside = [metric for one, metric in published if one == task]
            for metric in shown_metrics(task, found, metrics, beside):
                yield order.name, (task, metric)


def in_order(order: Iterable[Name], there: Iterable[Name]) -> list[Name]:
    """What is there, first in the grid's order, then whatever else."""
    present = dict.fromkeys(there)
    return list(dict.fromkeys(itertools.chain((name for name in order if name in present), present)))


def shown_metrics(task: str, found: Spreads, asked: Sequence[str] | None, printed: Sequence[str]) -> list[str]:
    """The metrics to show of a task, as far as any row has them: the usual ones, what a paper prints, and plugins'.

    Of the usual ones only those that some row has a value of, unless there is none of them. A task that nobody has
    numbers of has one column without a metric, unless metrics are asked for and another task has some.
    """
    there = found.metrics.get(task, ())
    usual = (*SHOWN.get(task.partition("@")[0], ()), *printed, *extras_among(there))
    wanted = dict.fromkeys(usual) if asked is None else asked
    known = [metric for metric in wanted if metric in there]
    if asked is None:
        known = [metric for metric in known if (task, metric) in found.valued or metric in printed] or known
    return known or ([""] if not there and (asked is None or not found.metrics) else [])
