"""The ablation at a glance: each row's mean with its interval, single seeds, floors, and published numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlpbench.results.agreement import agreements
from vlpbench.results.metric_names import better_in, head
from vlpbench.results.plots.seed_scores import RowScores, floor_scores, row_scores, scored_tasks, subject
from vlpbench.results.plots.style import (
    FAINT,
    GREY,
    blank,
    clean,
    finished,
    in_style,
    inches,
    legend_above,
    name_rows,
    wrapped,
)
from vlpbench.results.published import published_by_column

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["bars", "why_no_bars"]

_LONGEST = {"column": (19, 38), "page": (30, 90)}
"""Characters of a row's name in one line, and of the reason that it has no score."""


def why_no_bars(results: Results) -> str | None:
    """The reason that nothing can be drawn, or None."""
    return None if scored_tasks(results) else "no cell has a score yet"


@in_style
def bars(results: Results, task: str = "", metric: str = "", width: str = "column") -> Figure:
    """Draw one task and metric, rows from top to bottom as in the grid; published numbers on an axis of their own.

    Points and not bars from zero: differences between rows are small beside their scores, and floors say where
    nothing begins. Published numbers are of another data set and budget: their order can be compared, not their size.
    """
    task, metric = subject(results, task, metric)
    rows = row_scores(results, task, metric)
    printed = _published(results, rows, task, metric)
    inches(width)  # no other width goes on from here
    names = [wrapped(row.title, _LONGEST[width][0]) for row in rows]
    deep = sum(0.13 + 0.1 * (name.count("\n") + 1) for name in names)
    figure = blank(width, max(1.3, 0.75 + deep))
    if printed:
        axes, beside = figure.subplots(1, 2, sharey=True, width_ratios=(2.2, 1))
        _draw_published(beside, rows, printed)
    else:
        axes = figure.subplots()
    name_rows(axes, names, {at for at, row in enumerate(rows) if row.is_reference})
    _draw_rows(axes, rows, _LONGEST[width][1])
    far = _draw_floors(axes, rows, floor_scores(results, task, metric))
    legend_above(figure, axes)
    axes.set_xlabel(head(task, metric) + _direction(results, task, metric))
    note = f"{_note(rows, far, bool(printed))} {_agreement(results, task, metric)}"
    return finished(figure, _said(rows, task, metric), note)


def _direction(results: Results, task: str, metric: str) -> str:
    """Said where less is better."""
    return " (lower is better)" if better_in(results, task, metric) == "lower" else ""


def _draw_rows(axes: Axes, rows: list[RowScores], longest: int) -> None:
    """Mean and interval on a row's line, single seeds just below it, a word where there is no score."""
    for at, row in enumerate(rows):
        axes.axhline(at, color="#eeeeee", linewidth=0.5, zorder=0)
        if row.instead:
            text = wrapped(row.instead, longest, 1)
            axes.text(0.01, at, text, transform=axes.get_yaxis_transform(), va="center", style="italic", color=GREY,
                      fontsize=6, parse_math=False, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
            continue
        if row.is_reference:
            axes.axvline(row.mean, color=FAINT, linewidth=0.8, zorder=0.5)
        if row.low == row.low:
            axes.plot([row.low, row.high], [at, at], color="black", linewidth=1.4, solid_capstyle="butt", zorder=2)
        axes.plot(row.mean, at, marker="D" if row.is_reference else "o", color="black", markersize=4, zorder=3)
        if len(row.scores) > 1:
            axes.plot(row.scores, [at + 0.27] * len(row.scores), linestyle="none", marker="o", markersize=2.2,
                      markerfacecolor="none", markeredgecolor=GREY, markeredgewidth=0.5, zorder=2)


def _draw_floors(axes: Axes, rows: list[RowScores], floors: dict[str, float]) -> list[str]:
    """Floors as lines with their names on top; the names of those too far off to be drawn, with their scores."""
    ends = [value for row in rows for value in (*row.scores, row.low, row.high) if value == value]
    low, high = min(ends), max(ends)
    room, far = 1.2 * max(high - low, 1e-9), []
    dashes = ((0, (1, 1.5)), (0, (4, 2)), (0, (6, 1.5, 1, 1.5)))
    for at, (name, value) in enumerate(sorted(floors.items(), key=lambda one: one[1])):
        if low - room <= value <= high + room:
            said = f"{name} {value:.1f}"
            axes.axvline(value, color=GREY, linewidth=0.8, linestyle=dashes[at % 3], zorder=0.6, label=clean(said))
        else:
            far.append(f"{name} {value:.1f}")
    return far


def _published(results: Results, rows: list[RowScores], task: str, metric: str) -> dict[int, float]:
    """Place of a row -> the number that a paper prints for it."""
    there = published_by_column(results.orders, [metric]).get((task, metric), {})
    keys = [(row.grid, row.row) for row in rows]
    return {at: there[key] for at, key in enumerate(keys) if key in there}


def _draw_published(axes: Axes, rows: list[RowScores], printed: dict[int, float]) -> None:
    """Open markers on a scale of their own."""
    for at in range(len(rows)):
        axes.axhline(at, color="#eeeeee", linewidth=0.5, zorder=0)
    for at, value in printed.items():
        shape = "D" if rows[at].is_reference else "o"
        axes.plot(value, at, marker=shape, markersize=4, markerfacecolor="white", markeredgecolor="black")
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.margins(x=0.12)
    axes.set_xlabel("published")


def _agreement(results: Results, task: str, metric: str) -> str:
    """How far our order of rows is the published one, in each grid that has enough rows with both."""
    found = [one for one in agreements(results, task, metric) if one.ranks and one.ranks.tau == one.ranks.tau]
    parts = []
    for one in found:
        assert one.ranks is not None
        low, high = one.ranks.tau_low, one.ranks.tau_high
        interval = f" [{low:.2f}, {high:.2f}]" if low == low else ""
        where = f" in {one.grid}" if len(found) > 1 else ""
        parts.append(f"Kendall's tau over {len(one.rows)} rows{where} {one.ranks.tau:.2f}{interval}.")
    return " ".join(parts)


def _note(rows: list[RowScores], far: list[str], has_published: bool) -> str:
    """What the picture's marks are."""
    n = max(len(row.scores) for row in rows)
    parts = [f"Points: mean over seeds (n={n}); bars: 95 % t interval over seeds; small rings: single seeds."]
    if n == 1:
        parts = ["Points: one seed, so there is no interval."]
    if any(row.is_reference for row in rows):
        parts.append("Diamond and line: the reference row.")
    if far:
        parts.append(f"Not in sight: {', '.join(far)}.")
    if has_published:
        parts.append("Published numbers (open) have another data set and budget: compare orders, not sizes.")
    return " ".join(parts)


def _said(rows: list[RowScores], task: str, metric: str) -> str:
    """The picture in a line."""
    scored = sorted((row for row in rows if row.scores), key=lambda row: row.mean)
    ends = f"lowest {scored[0].name} {scored[0].mean:.1f}, highest {scored[-1].name} {scored[-1].mean:.1f}"
    missing = len(rows) - len(scored)
    return f"{head(task, metric)} of {len(rows)} rows: {ends}" + (f"; {missing} without a score" if missing else "")
