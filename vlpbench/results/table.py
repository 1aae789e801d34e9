"""The table of a grid: mean ± standard deviation over seeds, floors under the rows, and what must be said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlpbench.errors import unknown

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["SHOWN", "header", "summary", "wide"]

SHOWN: Mapping[str, tuple[str, ...]] = {
    "vqa": ("accuracy", "exact_normalised"),
    "captioning": ("Bleu_4", "CIDEr"),
    "retrieval": ("TR@1", "TR@5", "TR@10", "IR@1", "IR@5", "IR@10"),
}
"""Metrics of a table where none are asked for, by task."""

_PAPER_SCALE = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr")
"""Printed times 100, as papers do; the frame keeps pycocoevalcap's own scale."""

_NAMES = {
    "accuracy": "acc.", "exact_normalised": "exact (normalised)", **{f"Bleu_{n}": f"BLEU-{n}" for n in range(1, 5)},
}


def summary(results: Results, metrics: Sequence[str] | None = None) -> pd.DataFrame:
    """One line a row, task and metric, in the grid's order: mean, std (n - 1), interval, n, published, why not."""
    import pandas as pd

    frame = results.frame
    known = sorted({metric for metric in frame["metric"] if metric})
    for metric in metrics or () if known else ():
        if metric not in known:
            raise unknown("metric", metric, known, "--metric")
    lines: list[dict[str, Any]] = []
    for order in {order.name: order for order in results.orders}.values():
        mine = frame[frame["grid"] == order.name]
        for row in _ordered(order.rows, mine["row"]):
            for task in _ordered(order.tasks, mine["task"]):
                here = mine[(mine["row"] == row) & (mine["task"] == task)]
                if here.empty:
                    continue
                named = {"grid": order.name, "row": row, "task": task}
                shown = _metrics(task, mine[mine["task"] == task], metrics)
                lines.extend(named | {"metric": metric} | _spread(here, metric) for metric in shown)
    return pd.DataFrame(lines)


def wide(results: Results, metrics: Sequence[str] | None = None) -> pd.DataFrame:
    """Rows of the grid, then floors; one column a task and metric; every cell is text."""
    import pandas as pd

    long = summary(results, metrics)
    columns = list(dict.fromkeys((task, metric) for task, metric in zip(long["task"], long["metric"], strict=True)))
    many = len({order.name for order in results.orders}) > 1
    cells: dict[Any, dict[tuple[str, str], str]] = {}
    for line in long.to_dict("records"):
        label = f"{line['grid']}: {line['row']}" if many else line["row"]
        cells.setdefault(label, {})[line["task"], line["metric"]] = _text({str(key): x for key, x in line.items()})
    for line in results.floors().to_dict("records"):
        if (line["task"], line["metric"]) in columns:
            label = f"{line['grid']}: *{line['floor']}*" if many else f"*{line['floor']}*"
            cells.setdefault(label, {})[line["task"], line["metric"]] = _number(line["value"], line["metric"])
    wanted = pd.MultiIndex.from_tuples(columns)
    table = pd.DataFrame.from_dict(cells, orient="index").reindex(columns=wanted).fillna("–")
    table.columns = pd.Index([header(task, metric) for task, metric in columns])
    return table.rename_axis("row")


def header(task: str, metric: str) -> str:
    """The head of a column: task, metric, and that it is printed times 100 where it is."""
    name = _NAMES.get(metric, metric)
    return f"{task} {name}".strip() + (" ×100" if metric in _PAPER_SCALE else "")


def _ordered(order: Sequence[str], there: pd.Series) -> list[str]:
    """What is there, first in the grid's order, then whatever else."""
    present = list(dict.fromkeys(there))
    return [name for name in order if name in present] + [name for name in present if name not in order]


def _metrics(task: str, there: pd.DataFrame, asked: Sequence[str] | None) -> list[str]:
    """The metrics to show of a task, as far as any row has them."""
    found = list(dict.fromkeys(metric for metric in there["metric"] if metric))
    wanted = SHOWN.get(task.partition("@")[0], ()) if asked is None else asked
    return [metric for metric in wanted if metric in found] or ([""] if not found else [])


def _spread(here: pd.DataFrame, metric: str) -> dict[str, Any]:
    """Mean and spread of one metric over the seeds of one row; cells that failed or are missing are counted."""
    values = here[here["metric"] == metric]["value"].dropna()
    published = here["published"][here["metric"] == metric].dropna()
    reasons = [reason for reason in here["reason"].dropna() if reason]
    return {
        "mean": values.mean() if len(values) else float("nan"),
        "std": values.std(ddof=1) if len(values) > 1 else float("nan"),
        "interval": _half_interval(values),
        "n": len(values),
        "wanted": here["seed"].nunique(),
        "published": published.iloc[0] if len(published) else float("nan"),
        "status": "done" if len(values) else str(here["status"].iloc[0]),
        "reason": reasons[0] if reasons else "",
    }


def _half_interval(values: pd.Series) -> float:
    """Half of the 95 % t interval of the expected score over new seeds on this test set; NaN for fewer than two."""
    from scipy.special import stdtrit

    if len(values) < 2:
        return float("nan")
    return float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / len(values) ** 0.5)


def _text(line: Mapping[str, Any]) -> str:
    if not line["n"]:
        return line["reason"] if line["status"] in ("n/a", "done") else f"{line['status']}"
    text = _number(line["mean"], line["metric"])
    if line["n"] > 1:
        text += f" ± {_number(line['std'], line['metric'])}"
    if line["n"] != line["wanted"]:
        text += f" (n={line['n']}/{line['wanted']})"
    if line["published"] == line["published"]:
        text += f" [published {line['published']:.2f}]"
    return text


def _number(value: float, metric: str) -> str:
    if value != value:
        return "–"
    return f"{100 * value if metric in _PAPER_SCALE else value:.1f}"
