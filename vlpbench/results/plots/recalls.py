"""Retrieval: recall at 1, 5, 10 in both directions, a line a row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vlpbench.errors import UserError, unknown
from vlpbench.results.plots.seed_scores import RowScores, floor_scores, row_scores
from vlpbench.results.plots.style import FAINT, GREY, INKS, blank, finished, in_style, name_rows, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["recalls", "why_no_recalls"]

_RECALL = re.compile(r"(TR|IR)@(\d+)")
_DIRECTIONS = {"TR": "TR: find a text of an image", "IR": "IR: find the image of a text"}


def why_no_recalls(results: Results) -> str | None:
    """The reason that nothing can be drawn, or None."""
    return None if _tasks(results) else "no row has a recall: no retrieval task was scored"


@in_style
def recalls(results: Results, task: str = "", width: str = "column") -> Figure:
    """Draw all recalls of a retrieval task, texts found for images left, images found for texts right."""
    tasks = _tasks(results)
    if not tasks:
        raise UserError("no row has a recall", remedy="run a grid with a retrieval task")
    if task and task not in tasks:
        raise unknown("retrieval task", task, tasks, "--task")
    task = task or next(iter(tasks))
    sides = {side: [metric for metric in tasks[task] if metric.startswith(side)] for side in _DIRECTIONS}
    sides = {side: metrics for side, metrics in sides.items() if metrics}
    rows = {metric: row_scores(results, task, metric) for metrics in sides.values() for metric in metrics}
    first = next(iter(rows.values()))
    names = [wrapped(row.title, 17 if width == "column" else 30) for row in first]
    figure = blank(width, max(1.4, 0.95 + sum(0.12 + 0.1 * (name.count("\n") + 1) for name in names)))
    panels = figure.subplots(1, len(sides), sharey=True, squeeze=False).ravel()
    for axes, (side, metrics) in zip(panels, sides.items(), strict=True):
        _draw_side(axes, [rows[metric] for metric in metrics], metrics, 20 if width == "column" else 48)
        axes.set_xlabel(_DIRECTIONS[side] if width == "page" else f"{side}, %")
        axes.tick_params(axis="y", length=0)
    name_rows(panels[0], names, {at for at, row in enumerate(first) if row.is_reference})
    handles, said = panels[0].get_legend_handles_labels()
    figure.legend(handles, said, loc="outside upper left", ncols=3, borderaxespad=0.1, columnspacing=1.2)
    return finished(figure, _said(task, rows), _note(results, task, rows, width))


def _tasks(results: Results) -> dict[str, list[str]]:
    """Task -> its recalls with a value, least k first."""
    frame = results.frame[results.frame["value"].notna()]
    found: dict[str, list[str]] = {}
    for task in dict.fromkeys([*(task for one in results.orders for task in one.tasks), *frame["task"].unique()]):
        names = frame.loc[frame["task"] == task, "metric"].unique()
        there = [match for one in names if (match := _RECALL.fullmatch(one))]
        if there:
            found[task] = [match[0] for match in sorted(there, key=lambda match: (match[1], int(match[2])))]
    return found


def _draw_side(axes: Axes, columns: list[list[RowScores]], metrics: list[str], longest: int) -> None:
    """One direction: a line a row, a shape a k; reasons of at most `longest` letters where there is no recall."""
    for at, row in enumerate(zip(*columns, strict=True)):
        means = [one.mean for one in row if one.scores]
        if not means:
            axes.text(0.02, at, wrapped(row[0].instead, longest, 1), transform=axes.get_yaxis_transform(), va="center",
                      style="italic", color=GREY, fontsize=6, parse_math=False)
            continue
        axes.plot([min(means), max(means)], [at, at], color=FAINT, linewidth=0.8, zorder=1)
    for ink, metric, column in zip(INKS, metrics, columns, strict=False):
        scored = [(at, one) for at, one in enumerate(column) if one.scores]
        for at, one in scored:
            if one.low == one.low:
                ends = [one.low, one.high]
                axes.plot(ends, [at, at], color=ink.colour, linewidth=1.6, solid_capstyle="butt", zorder=2)
        axes.plot(
            [one.mean for _, one in scored], [at for at, _ in scored], linestyle="none", color=ink.colour,
            marker=ink.marker, markersize=4, zorder=3, label=f"R@{metric.partition('@')[2]}",
        )
    axes.grid(axis="x")
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, -4), min(high, 104))


def _note(results: Results, task: str, rows: dict[str, list[RowScores]], width: str) -> str:
    """What the marks are, and what chance finds."""
    n = max(len(row.scores) for column in rows.values() for row in column)
    parts = [f"Points: mean over seeds (n={n}); bars: 95 % t interval over seeds." if n > 1 else "Points: one seed."]
    if width != "page":
        parts.append("TR: find a text of an image; IR: find the image of a text.")
    chance = {metric: floor_scores(results, task, metric).get("chance") for metric in rows}
    there = [f"{metric} {value:.1f}" for metric, value in chance.items() if value is not None]
    return " ".join([*parts, f"Chance: {', '.join(there)}." if there else ""]).strip()


def _said(task: str, rows: dict[str, list[RowScores]]) -> str:
    """The picture in a line."""
    metric, column = next(iter(rows.items()))
    scored = sorted((row for row in column if row.scores), key=lambda row: row.mean)
    ends = f"from {scored[0].mean:.1f} ({scored[0].name}) to {scored[-1].mean:.1f} ({scored[-1].name})"
    return f"{task} recalls of {len(column)} rows: {metric} {ends}"
