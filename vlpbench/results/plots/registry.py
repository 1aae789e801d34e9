"""All plots by name: what each shows, which options it takes, and whether results have what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError, unknown
from vlpbench.results.plots.bars import bars, why_no_bars
from vlpbench.results.plots.compute import compute, why_no_compute
from vlpbench.results.plots.curves import curves, why_no_curves
from vlpbench.results.plots.heatmap import heatmap, why_no_heatmap
from vlpbench.results.plots.questions import questions, why_no_questions
from vlpbench.results.plots.recalls import recalls, why_no_recalls
from vlpbench.results.plots.reproduction import published_tasks, reproduction, why_no_reproduction
from vlpbench.results.plots.seed_scores import scored_tasks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["PLOTS", "Plot", "all_plots", "draw"]


@dataclass(frozen=True)
class Plot:
    """One kind of plot."""

    name: str
    """What it is called: `report plot --kind NAME`."""
    sentence: str
    """What it shows."""
    function: Callable[..., Figure]
    """(results, **options) -> the figure."""
    options: tuple[str, ...]
    """What it can be told, all with a value where nothing is said."""
    why_not: Callable[[Results], str | None]
    """The reason that these results do not have what it needs, or None."""
    tasks: Callable[[Results], Iterable[str]] = scored_tasks
    """Tasks that it can be drawn of."""

    @property
    def is_per_task(self) -> bool:
        """Whether it is drawn of one metric, and so once for each task."""
        return "metric" in self.options


PLOTS: Mapping[str, Plot] = {
    one.name: one
    for one in (
        Plot("bars", "each row's mean, interval, single seeds, floors and published numbers", bars,
             ("task", "metric", "width"), why_no_bars),
        Plot("curves", "losses of training over steps or samples", curves,
             ("stage", "x", "smooth", "width"), why_no_curves),
        Plot("compute", "score against FLOPs, samples, seconds or parameters, with the Pareto line", compute,
             ("task", "metric", "x", "width"), why_no_compute),
        Plot("recalls", "retrieval at 1, 5, 10 in both directions", recalls, ("task", "width"), why_no_recalls),
        Plot("questions", "VQA by type of answer and of question", questions, ("task", "width"), why_no_questions),
        Plot("heatmap", "one setting against another, by default objective against backbone", heatmap,
             ("task", "metric", "rows", "columns", "width"), why_no_heatmap),
        Plot("reproduction", "a paper's differences to the baseline beside ours, and which of them appear",
             reproduction, ("task", "metric", "width"), why_no_reproduction, published_tasks),
    )
}
"""In the order of their use."""


def draw(results: Results, kind: str = "bars", **options: Any) -> Figure:
    """The figure of a kind; UserError for an unknown kind or option, and for results that lack what it needs."""
    if kind not in PLOTS:
        raise unknown("plot", kind, PLOTS, "--kind")
    plot = PLOTS[kind]
    for name in options:
        if name not in plot.options:
            takers = [one.name for one in PLOTS.values() if name in one.options]
            who = f"{name!r} is an option of {', '.join(takers)}" if takers else f"it takes {', '.join(plot.options)}"
            raise UserError(f"the plot {kind!r} takes no option {name!r}", f"--kind {kind}", who)
    return plot.function(results, **options)


def all_plots(results: Results, **options: Any) -> tuple[list[tuple[str, dict[str, Any]]], dict[str, str]]:
    """(kind, options) of all that can be drawn, those of one metric once for each task; kind -> why it cannot be.

    `options` are given to those that take them.
    """
    can: list[tuple[str, dict[str, Any]]] = []
    cannot: dict[str, str] = {}
    for plot in PLOTS.values():
        reason = plot.why_not(results)
        mine = {name: value for name, value in options.items() if name in plot.options}
        if reason is not None:
            cannot[plot.name] = reason
        elif plot.is_per_task and "task" not in mine:
            can += [(plot.name, {"task": task, **mine}) for task in plot.tasks(results)]
        else:
            can.append((plot.name, mine))
    return can, cannot
