"""Score against what it cost: a point a row with its interval, its name, and the line of those that nobody beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlpbench.errors import UserError, unknown
from vlpbench.results.beside import BESIDE, column_of
from vlpbench.results.metric_names import better_in, head
from vlpbench.results.plots.place_names import place_names
from vlpbench.results.plots.scales import plain, set_plain_log, spans
from vlpbench.results.plots.seed_scores import RowScores, row_scores, scored_tasks, subject
from vlpbench.results.plots.style import FAINT, GREY, blank, finished, in_style, inches, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["COSTS", "compute", "pareto", "why_no_compute"]

COSTS = tuple(name for name, one in BESIDE.items() if one.is_cost and not one.is_text)
"""What can stand on the horizontal axis, by the frame's names."""

_WIDE = 8.0
"""Costs that span so many times the least are drawn over powers of ten."""

_LETTERS = 35
"""Letters of names that fit into a plot, for each inch of its width; beyond that points have numbers."""


@dataclass(frozen=True)
class _Point:
    """A row with its cost, in the unit of the axis."""

    row: RowScores
    cost: float


def why_no_compute(results: Results) -> str | None:
    """The reason that nothing can be drawn, or None."""
    if not scored_tasks(results):
        return "no cell has a score yet"
    return None if results.frame["flops"].notna().any() else "no cell tells what it cost"


@in_style
def compute(results: Results, task: str = "", metric: str = "", x: str = "flops", width: str = "column") -> Figure:
    """Draw one task and metric over `x` (one of `COSTS`): what a row had to be given for its score."""
    if x not in COSTS:
        raise unknown("cost", x, COSTS, "--x")
    task, metric = subject(results, task, metric)
    rows = row_scores(results, task, metric)
    points = _points(results, rows, x)
    if not points:
        raise UserError(f"no row has both a score and {BESIDE[x].head}", f"--x {x}", f"other costs: {', '.join(COSTS)}")
    figure = blank(width, 2.0 + 0.1 * inches(width) + 0.06 * len(points))
    axes = figure.subplots()
    places = _set_axis(axes, [point.cost for point in points])
    is_lower = better_in(results, task, metric) == "lower"
    seeing = [at for at, point in enumerate(points) if not point.row.is_blind] or list(range(len(points)))
    found = pareto([points[at].cost for at in seeing], [points[at].row.mean for at in seeing], is_lower)
    best = [seeing[at] for at in found]
    _draw(axes, points, places, best)
    axes.set_xlabel(BESIDE[x].head)
    axes.set_ylabel(head(task, metric) + (" (lower is better)" if is_lower else ""), parse_math=False)
    axes.grid()
    names = [point.row.title for point in points]
    is_numbered = sum(map(len, names)) > _LETTERS * inches(width)
    lost = [row.name for row in rows if row.name not in {point.row.name for point in points}]
    finished(figure, _said(points, best, task, metric, x), _note(points, lost) + (_key(names) if is_numbered else ""))
    names = [str(at) for at in range(1, len(names) + 1)] if is_numbered else [wrapped(name, 26) for name in names]
    centres = [(place, point.row.mean) for place, point in zip(places, points, strict=True)]
    place_names(figure, axes, centres, names)
    return figure


def pareto(costs: Sequence[float], scores: Sequence[float], is_lower_better: bool = False) -> list[int]:
    """Places of the points that no other beats, cheapest first: by a better score at equal or lower cost, or by as
    good a one at a lower. Points with equal score and cost are there together.
    """
    sign = -1.0 if is_lower_better else 1.0
    found: list[int] = []
    for at in sorted(range(len(costs)), key=lambda at: (costs[at], -sign * scores[at])):
        is_twin = found and (costs[at], scores[at]) == (costs[found[-1]], scores[found[-1]])
        if not found or is_twin or sign * scores[at] > sign * scores[found[-1]]:
            found.append(at)
    return found


def _points(results: Results, rows: Sequence[RowScores], x: str) -> list[_Point]:
    """Rows that have a score and a cost: the mean over their cells."""
    column = column_of(x)
    cells = results.frame.drop_duplicates(["grid", "cell"]).dropna(subset=column)
    means = cells.astype({column: float}).groupby(["grid", "row"])[column].mean() / BESIDE[x].unit
    return [_Point(row, float(means[row.grid, row.row])) for row in rows if row.scores and (row.grid, row.row) in means]


def _set_axis(axes: Axes, costs: Sequence[float]) -> list[float]:
    """Make the axis fit; where each cost is drawn on it (0 has a place of its own left of the powers of ten)."""
    above = [cost for cost in costs if cost > 0]
    if not above or not spans(min(above), max(above), _WIDE):
        low, high = min(costs), max(costs)
        air = 0.18 * (high - low or abs(high) or 1.0)
        axes.set_xlim(low - air, high + air)
        return list(costs)
    low, high = min(above), max(above)
    zero = low / (high / low) ** 0.16 if min(costs) <= 0 else 0.0
    set_plain_log(axes, "x", low, high, zero)
    if zero:
        axes.axvline(low / (high / low) ** 0.08, color=GREY, linewidth=0.6, linestyle=(0, (1, 2)))
    return [cost or zero for cost in costs]


def _draw(axes: Axes, points: Sequence[_Point], places: Sequence[float], best: Sequence[int]) -> None:
    """Points with intervals; those on the Pareto line filled, and the line."""
    right = axes.get_xlim()[1]
    axes.plot(
        [*(places[at] for at in best), right], [*(points[at].row.mean for at in best), points[best[-1]].row.mean],
        drawstyle="steps-post", color=FAINT, linewidth=1.0, zorder=1,
    )
    for at, (place, point) in enumerate(zip(places, points, strict=True)):
        if point.row.low == point.row.low:
            axes.plot([place, place], [point.row.low, point.row.high], color=GREY, linewidth=0.7, zorder=2)
        axes.plot(
            place, point.row.mean, marker="D" if point.row.is_reference else "o", color="black", markersize=4,
            markerfacecolor="black" if at in best else "white", zorder=3,
        )
    axes.margins(y=0.12)


def _note(points: Sequence[_Point], lost: Sequence[str]) -> str:
    """What the marks are, and which rows are not there."""
    n = max(len(point.row.scores) for point in points)
    bars = f"Points: mean over seeds (n={n}); bars: 95 % t interval over seeds." if n > 1 else "Points: one seed."
    parts = [bars, "Filled, with the line: no other row scores more at equal or lower cost, or as much at lower."]
    if any(point.row.is_reference for point in points):
        parts.append("Diamond: the reference row.")
    if any(point.row.is_blind for point in points):
        parts.append("Blind rows are never on the line.")
    if lost:
        names = ", ".join(wrapped(name, 40, 1) for name in lost) if len(lost) <= 5 else f"{len(lost)} rows"
        parts.append(f"Not drawn for want of a score or cost: {names}.")
    return " ".join(parts)


def _key(names: Sequence[str]) -> str:
    """Which number is which row."""
    return "\n" + "; ".join(f"{at}: {wrapped(name, 40, 1)}" for at, name in enumerate(names, 1)) + "."


def _said(points: Sequence[_Point], best: Sequence[int], task: str, metric: str, x: str) -> str:
    """The picture in a line."""
    line = "; ".join(f"{points[at].row.name} {points[at].row.mean:.1f} at {plain(points[at].cost)}" for at in best)
    return f"{head(task, metric)} of {len(points)} rows over {BESIDE[x].head}; on the Pareto line: {line}"
