"""Mean and spread of each row, task and metric over seeds; a cell that is missing is never averaged away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlpbench.errors import unknown
from vlpbench.results.published import published_by_column

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["SHOWN", "summary"]

SHOWN: Mapping[str, tuple[str, ...]] = {
    "vqa": ("accuracy", "exact", "exact_normalised", "multiple_choice"),
    "captioning": ("Bleu_4", "CIDEr", "METEOR", "SPICE"),
    "retrieval": ("TR@1", "TR@5", "TR@10", "IR@1", "IR@5", "IR@10"),
    "classification": ("accuracy", "mean_per_class"),
}
"""Metrics of a table where none are asked for, by task; one that no row has a value of is left out."""

_HOW = ("protocol", "head", "data", "split", "normalisation", "images", "metrics_version")
"""Columns of the frame that say how a line's values were measured."""


def summary(results: Results, metrics: Sequence[str] | None = None) -> pd.DataFrame:
    """One line a row, task and metric, in the grid's order: mean, std (n - 1), interval, n, published, why not, how."""
    import pandas as pd

    frame = results.frame
    known = sorted(metric for metric in frame["metric"].unique() if metric)
    for metric in metrics or () if known else ():
        if metric not in known:
            raise unknown("metric", metric, known, "--metric")
    published = published_by_column(results.orders, metrics)
    lines: list[dict[str, Any]] = []
    for order in {order.name: order for order in results.orders}.values():
        mine = frame[frame["grid"] == order.name]
        for row in _ordered(order.rows, mine["row"]):
            for task in _ordered(order.tasks, mine["task"]):
                here = mine[(mine["row"] == row) & (mine["task"] == task)]
                if here.empty:
                    continue
                named = {"grid": order.name, "row": row, "task": task}
                beside = [metric for one, metric in published if one == task]
                for metric in _metrics(task, mine[mine["task"] == task], metrics, beside):
                    printed = published.get((task, metric), {}).get((order.name, row), float("nan"))
                    lines.append(named | {"metric": metric} | _spread(here, metric, printed))
    return pd.DataFrame(lines)


def _ordered(order: Sequence[str], there: pd.Series) -> list[str]:
    """What is there, first in the grid's order, then whatever else."""
    present = list(there.unique())
    return [name for name in order if name in present] + [name for name in present if name not in order]


def _metrics(task: str, there: pd.DataFrame, asked: Sequence[str] | None, printed: Sequence[str]) -> list[str]:
    """The metrics to show of a task, as far as any row has them: the usual ones and those that a paper prints.

    Of the usual ones only those that some row has a value of, unless there is none of them.
    """
    found = [metric for metric in there["metric"].unique() if metric]
    wanted = dict.fromkeys((*SHOWN.get(task.partition("@")[0], ()), *printed)) if asked is None else asked
    known = [metric for metric in wanted if metric in found]
    if asked is None:
        valued = set(there[there["value"].notna()]["metric"].unique())
        known = [metric for metric in known if metric in valued or metric in printed] or known
    return known or ([""] if not found else [])


def _spread(here: pd.DataFrame, metric: str, published: float) -> dict[str, Any]:
    """Mean and spread of one metric over the seeds of one row; cells that failed or are missing are counted."""
    mine = here[here["metric"] == metric]
    values = mine["value"].dropna()
    reasons = [reason for reason in here[here["metric"].isin([metric, ""])]["reason"].dropna().unique() if reason]
    return {
        "mean": values.mean() if len(values) else float("nan"),
        "std": values.std(ddof=1) if len(values) > 1 else float("nan"),
        "interval": _half_interval(values),
        "n": len(values),
        "wanted": here["seed"].nunique(),
        "published": published,
        "status": "done" if len(values) else str(here["status"].iloc[0]),
        "reason": reasons[0] if reasons else "",
        **{name: _said(mine[name]) for name in _HOW},
    }


def _said(column: pd.Series) -> str:
    """What a row's seeds say, joined where they differ."""
    return " / ".join(dict.fromkeys(str(one) for one in column.dropna().unique()))


def _half_interval(values: pd.Series) -> float:
    """Half of the 95 % t interval of the expected score over new seeds on this test set; NaN for fewer than two."""
    if len(values) < 2:
        return float("nan")
    from scipy.special import stdtrit

    return float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / len(values) ** 0.5)
