"""One line a row, task and metric: mean and spread over seeds, n, the published number, why not, how measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from vlpbench.errors import unknown
from vlpbench.results.published import published_by_column
from vlpbench.results.spreads import Spreads, half_interval, spreads_of

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["SHOWN", "check_metrics", "in_order", "scores_in_order", "shown_metrics", "summary"]

SHOWN: Mapping[str, tuple[str, ...]] = {
    "vqa": ("accuracy", "exact", "exact_normalised", "multiple_choice"),
    "captioning": ("Bleu_4", "CIDEr", "METEOR", "SPICE"),
    "retrieval": ("TR@1", "TR@5", "TR@10", "IR@1", "IR@5", "IR@10"),
    "classification": ("accuracy", "mean_per_class"),
}
"""Metrics of a table where none are asked for, by task; one that no row has a value of is left out."""


def summary(results: Results, metrics: Sequence[str] | None = None) -> pd.DataFrame:
    """One line a row, task and metric, in the grid's order: mean, std (n - 1), interval, n, published, why not, how."""
    import pandas as pd

    check_metrics(results, metrics)
    frame = results.frame
    found = spreads_of(frame, list(zip(frame["grid"], frame["row"], strict=True)))
    published = published_by_column(results.orders, metrics)
    lines = []
    for grid, row, task, metric in scores_in_order(results, found, metrics):
        spread = found.of((grid, row), task, metric)
        assert spread is not None
        lines.append({
            "grid": grid, "row": row, "task": task, "metric": metric, "mean": spread.mean, "std": spread.std,
            "interval": half_interval(spread), "n": spread.n, "wanted": spread.wanted, "failed": len(spread.bad),
            "published": published.get((task, metric), {}).get((grid, row), float("nan")),
            "status": spread.status, "reason": spread.reason, **spread.how,
        })
    return pd.DataFrame(lines)


def check_metrics(results: Results, metrics: Sequence[str] | None) -> None:
    """UserError for a metric that no row has, where there are any."""
    known = sorted(metric for metric in results.frame["metric"].unique() if metric)
    for metric in metrics or () if known else ():
        if metric not in known:
            raise unknown("metric", metric, known, "--metric")


def scores_in_order(
    results: Results, found: Spreads, metrics: Sequence[str] | None
) -> Iterator[tuple[str, str, str, str]]:
    """Grid, row, task and metric of every place of the table, in the grids' order; `found` has places (grid, row)."""
    published = published_by_column(results.orders, metrics)
    for order in {order.name: order for order in results.orders}.values():
        rows = [row for grid, row in found.tasks if grid == order.name]
        there = dict.fromkeys(task for row in rows for task in found.tasks[order.name, row])
        for row in in_order(order.rows, rows):
            for task in in_order(order.tasks, there):
                if ((order.name, row), task) not in found.lines:
                    continue
                beside = [metric for one, metric in published if one == task]
                for metric in shown_metrics(task, found, metrics, beside):
                    yield order.name, row, task, metric


def in_order(order: Iterable[str], there: Iterable[str]) -> list[str]:
    """What is there, first in the grid's order, then whatever else."""
    present = dict.fromkeys(there)
    return list(dict.fromkeys([*(name for name in order if name in present), *present]))


def shown_metrics(task: str, found: Spreads, asked: Sequence[str] | None, printed: Sequence[str]) -> list[str]:
    """The metrics to show of a task, as far as any row has them: the usual ones and those that a paper prints.

    Of the usual ones only those that some row has a value of, unless there is none of them.
    """
    there = found.metrics.get(task, ())
    wanted = dict.fromkeys((*SHOWN.get(task.partition("@")[0], ()), *printed)) if asked is None else asked
    known = [metric for metric in wanted if metric in there]
    if asked is None:
        known = [metric for metric in known if (task, metric) in found.valued or metric in printed] or known
    return known or ([""] if not there else [])
