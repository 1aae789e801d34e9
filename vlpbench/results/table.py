"""The table of a grid as text: scores, what stands beside them, published numbers, and floors under the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlpbench.errors import unknown
from vlpbench.results.beside import BESIDE, beside_text
from vlpbench.results.published import Column, published_by_column, published_texts
from vlpbench.results.summary import summary

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["header", "wide"]

_PAPER_SCALE = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr", "CIDEr-plain", "METEOR", "SPICE")
"""Printed times 100, as papers do; the frame keeps pycocoevalcap's own scale."""

_NAMES = {
    "accuracy": "acc.", "exact": "exact (as written)", "exact_normalised": "exact (normalised)",
    "multiple_choice": "right choice", "mean_per_class": "mean per class",
    **{f"Bleu_{n}": f"BLEU-{n}" for n in range(1, 5)},
}


def wide(
    results: Results, metrics: Sequence[str] | None = None, beside: Sequence[str] | None = None
) -> pd.DataFrame:
    """Rows of the grid, then floors; one column a task and metric; every cell is text.

    What stands `beside` the scores (names of `BESIDE`; None: what the grids say) comes first, a published number
    right behind ours, also in a row that has none of ours.
    """
    import pandas as pd

    for name in beside or ():
        if name not in BESIDE:
            raise unknown("column", name, BESIDE, "--beside")
    asked = [name for order in results.orders for name in order.beside] if beside is None else beside
    first = [name for name in dict.fromkeys(asked) if name in BESIDE]
    long = summary(results, metrics)
    many = len({order.name for order in results.orders}) > 1
    scores = list(dict.fromkeys(zip(long["task"].astype(str), long["metric"].astype(str), strict=True)))
    cells: dict[str, dict[str, str]] = {}
    excused: set[tuple[str, str]] = set()
    for line in long.to_dict("records"):
        label, text = _label(line["grid"], line["row"], many), _text({str(key): x for key, x in line.items()})
        if line["status"] == "n/a":  # a sentence once a task: six columns of it are no table
            text = "n/a" if (label, line["task"]) in excused else text
            excused.add((label, line["task"]))
        cells.setdefault(label, {})[header(line["task"], line["metric"])] = text
    there = results.frame.drop_duplicates(["grid", "cell"])
    for grid, row in dict.fromkeys(zip(there["grid"], there["row"], strict=True)):
        mine = there[(there["grid"] == grid) & (there["row"] == row)]
        texts = {BESIDE[name].head: beside_text(mine, name) for name in first}
        cells.setdefault(_label(grid, row, many), {}).update(texts)
    for line in results.floors().to_dict("records"):
        if (line["task"], line["metric"]) in scores:
            label = _label(line["grid"], f"*{line['floor']}*", many)
            cells.setdefault(label, {})[header(line["task"], line["metric"])] = _number(line["value"], line["metric"])
    heads = [BESIDE[name].head for name in first] + _put_published(results, metrics, scores, cells, many)
    table = pd.DataFrame.from_dict(cells, orient="index").reindex(columns=heads).fillna("–")
    return table.rename_axis("row")


def _put_published(
    results: Results, metrics: Sequence[str] | None, scores: Sequence[Column], cells: Mapping[str, dict[str, str]],
    many: bool,
) -> list[str]:
    """Put published numbers into the rows' cells; the heads of all score columns, each published one behind ours."""
    printed = published_by_column(results.orders, metrics)
    heads: list[str] = []
    for at, (task, metric) in enumerate(scores):
        heads.append(header(task, metric))
        is_last = task not in [one for one, _ in scores[at + 1 :]]
        mine = [key for key in printed if key == (task, metric) or (is_last and key[0] == task and key not in scores)]
        for key in mine:
            heads.append(f"{key[0]} {_NAMES.get(key[1], key[1])} published")
            for (grid, row), text in published_texts(printed[key]).items():
                if _label(grid, row, many) in cells:
                    cells[_label(grid, row, many)][heads[-1]] = text
    return heads


def _label(grid: str, row: str, many: bool) -> str:
    """What a line is called: the row, with its grid before it where there are several."""
    return f"{grid}: {row}" if many else row


def header(task: str, metric: str) -> str:
    """The head of a column: task, metric, and that it is printed times 100 where it is."""
    name = _NAMES.get(metric, metric)
    return f"{task} {name}".strip() + (" ×100" if metric in _PAPER_SCALE else "")


def _text(line: Mapping[str, Any]) -> str:
    """Mean, spread and n; without any value what became of it (why a metric has none is said under the table)."""
    if not line["n"]:
        instead: dict[str, str] = {"n/a": line["reason"], "done": "none" if line["reason"] else "–"}
        return instead.get(line["status"], str(line["status"]))
    text = _number(line["mean"], line["metric"])
    if line["n"] > 1:
        text += f" ± {_number(line['std'], line['metric'])}"
    if line["n"] != line["wanted"]:
        text += f" (n={line['n']}/{line['wanted']})"
    return text


def _number(value: float, metric: str) -> str:
    if value != value:
        return "–"
    return f"{100 * value if metric in _PAPER_SCALE else value:.1f}"
