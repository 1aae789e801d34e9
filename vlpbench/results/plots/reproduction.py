"""Which published differences appear: each row's published difference, and ours with its interval, beside zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vlpbench.errors import UserError, unknown
from vlpbench.results.listed import listed
from vlpbench.results.metric_names import head
from vlpbench.results.plots.style import (
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
from vlpbench.results.reproduction import Compared, Reproduction, ReproductionAsked, Verdict, reproductions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["published_tasks", "reproduction", "why_no_reproduction"]

_LONGEST = {"column": 19, "page": 30}
"""Characters of a row's name in one line."""

_MARKS: Mapping[Verdict, tuple[str, str, str]] = {
    "reproduced": ("o", "black", "black"), "opposite": ("s", "#D55E00", "#D55E00"), "not shown": ("o", "white", GREY),
    "no sign": ("o", "white", GREY), "no interval": ("x", GREY, GREY),
}
"""Verdict -> shape, inside and edge of our mean: told apart by shape and filling where there is no colour."""

_THEIRS, _OURS = -0.17, 0.17
"""How far below its row's line each of the two is drawn, so that neither covers the other."""


def why_no_reproduction(results: Results) -> str | None:
    """The reason that nothing can be drawn, or None."""
    try:
        found = reproductions(results)
    except UserError as error:
        return error.cause
    has_any = any(one.difference == one.difference for each in found for one in each.rows)
    return None if has_any else "no row with a published number has a score beside the baseline's"


def published_tasks(results: Results) -> list[str]:
    """Tasks with published numbers, in the grids' order."""
    return list(dict.fromkeys(task for task, _ in published_by_column(results.orders, None)))


@in_style
def reproduction(results: Results, task: str = "", metric: str = "", width: str = "column") -> Figure:
    """Draw one published column, the largest published loss on top: open diamonds theirs, the rest ours."""
    inches(width)  # no other width goes on from here
    found = _asked(results, task, metric)
    rows = sorted(found.rows, key=lambda one: one.published)
    names = [wrapped(_title(one), _LONGEST[width]) for one in rows]
    deep = sum(0.12 + 0.1 * (name.count("\n") + 1) for name in names)
    figure = blank(width, max(1.4, 0.95 + deep))
    axes = figure.subplots()
    name_rows(axes, names)
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    for at, one in enumerate(rows):
        axes.axhline(at, color="#eeeeee", linewidth=0.5, zorder=0)
        _draw_row(axes, at, one, found.alpha)
    _draw_legend(axes, rows)
    legend_above(figure, axes)
    axes.margins(x=0.06)
    axes.set_xlabel(f"{head(found.task, found.metric)}: row − {wrapped(found.baseline, 40, 1)}")
    return finished(figure, _said(found), _note(found))


def _asked(results: Results, task: str, metric: str) -> Reproduction:
    """The published column that is asked for, or the first; UserError where there is none."""
    found = reproductions(results, ReproductionAsked(metrics=(metric,) if metric else ()))
    if task:
        tasks = {name for name, _ in published_by_column(results.orders, None)}
        if task not in tasks:
            raise unknown("task with published numbers", task, tasks, "--task")
        found = [one for one in found if one.task == task]
    there = [one for one in found if any(row.difference == row.difference for row in one.rows)]
    if not there:
        raise UserError(why_no_reproduction(results) or "no row has a score beside what is published",
                        f"--task {task}" if task else "", "wait for cells, or name another task or metric")
    return there[0]


def _title(one: Compared) -> str:
    """The row's name, with the number of seeds where some are missing."""
    every = len(one.seeds) + len(one.missing)
    return f"{one.row} (n={len(one.seeds)}/{every})" if one.missing else one.row


def _draw_row(axes: Axes, at: int, one: Compared, alpha: float) -> None:
    """Theirs just above the row's line, ours just below it; a star behind the interval where p under Holm is small."""
    axes.plot(one.published, at + _THEIRS, marker="D", markersize=3.6, markerfacecolor="white", markeredgecolor="black",
              markeredgewidth=0.7, zorder=3)
    if one.difference != one.difference:
        axes.text(0, at + _OURS, " no score", va="center", style="italic", color=GREY, fontsize=6)
        return
    shape, inside, edge = _MARKS[one.verdict]
    if one.low == one.low:
        axes.plot([one.low, one.high], [at + _OURS] * 2, color=edge, linewidth=1.3, solid_capstyle="butt", zorder=2)
    axes.plot(one.difference, at + _OURS, marker=shape, markersize=3.8, markerfacecolor=inside, markeredgecolor=edge,
              markeredgewidth=0.9, zorder=4)
    if one.is_significant(alpha):
        axes.annotate("*", (one.high, at + _OURS), xytext=(2, -1.5), textcoords="offset points", va="center")


def _draw_legend(axes: Axes, rows: Sequence[Compared]) -> None:
    """What the marks are, as far as they are there."""
    axes.plot([], [], linestyle="none", marker="D", markersize=3.6, markerfacecolor="white", markeredgecolor="black",
              markeredgewidth=0.7, label="published")
    there = {one.verdict for one in rows if one.difference == one.difference}
    for name, (shape, inside, edge) in _MARKS.items():
        if name in there:
            axes.plot([], [], color=edge, marker=shape, markersize=3.8, markerfacecolor=inside, markeredgecolor=edge,
                      markeredgewidth=0.9, label=clean(f"ours: {name}"))


def _note(found: Reproduction) -> str:
    """What the marks mean, and how many of them agree."""
    signs, n = found.signs, max((len(one.seeds) for one in found.rows), default=0)
    interval = f"mean and {100 * (1 - found.alpha):g} % t interval over paired seeds (n={n}), reproduced or opposite"
    family = f" over {found.comparisons}" if found.comparisons > 1 else ""
    parts = [
        f"Ours: {interval} where it leaves out zero." if n > 1 else "Ours: one seed, so there is no interval.",
        f"*: p under Holm{family} below {found.alpha:g}." if n > 1 else "",
        f"{signs.certain} of {signs.published} published signs reproduced, {signs.same} point the same way.",
        "Published: another data set and budget; compare signs and order, not sizes.",
    ]
    return " ".join(part for part in parts if part)


def _said(found: Reproduction) -> str:
    """The picture in a line."""
    by: dict[str, list[str]] = {}
    for one in found.rows:
        by.setdefault(one.verdict, []).append(one.row)
    told = "; ".join(f"{name}: {listed(rows)}" for name, rows in by.items())
    what = f"{len(found.rows)} published differences to {found.baseline} beside ours"
    return f"{head(found.task, found.metric)}, {what}: {told}"
