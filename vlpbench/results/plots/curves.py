"""How training went: the loss of a stage, a row's mean over seeds with single seeds thin behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.errors import UserError, unknown
from vlpbench.results.plots.scales import plain, set_plain_log, spans
from vlpbench.results.plots.seed_scores import label, named_rows
from vlpbench.results.plots.style import INKS, blank, finished, in_style, inches, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["curves", "why_no_curves"]

_MOST = 200
"""Points of one line: more cannot be told apart in print, and make a page heavy."""

_AXES = {"step": "step", "samples": "samples seen"}

Line = NDArray[np.float64]


@dataclass(frozen=True)
class _RowCurves:
    """The loss curves of one row, and of others that trained the very same. Axes: S seeds, T points."""

    names: tuple[str, ...]
    """The rows, first the one that the grid names first."""
    objective: str
    """What the loss is of: losses of different objectives cannot be compared; empty for a task's readout."""
    at: Line
    """T: steps done, or samples seen."""
    losses: Line
    """S, T: cut to what all seeds have."""

    @property
    def name(self) -> str:
        """What the line is called."""
        return " = ".join(self.names)


def why_no_curves(results: Results) -> str | None:
    """The reason that nothing can be drawn, or None."""
    has_loss = any("loss" in point for one in results.records() for point in one.cell.curve())
    return None if has_loss else "no finished cell has a loss curve"


@in_style
def curves(results: Results, stage: str = "", x: str = "step", smooth: int = 1, width: str = "column") -> Figure:
    """Draw the losses of a stage (pretrain, or a task), one panel an objective and five rows.

    `x`: step or samples. `smooth`: the mean of so many logged points, said on the axis; 1: as logged.
    """
    if x not in _AXES:
        raise unknown("axis of curves", x, _AXES, "--x")
    if smooth < 1:
        raise UserError(f"curves cannot be smoothed over {smooth} points", "--smooth", "1: as logged")
    logged = results.curves()
    logged = logged[logged["name"] == "loss"]
    stage = _chosen(logged, stage)
    rows = _joined(_read(results, logged[logged["stage"] == stage], x, smooth))
    panels = list(_panels(rows))
    across = min(len(panels), 1 if width == "column" else 2)
    deep = -(-len(panels) // across)
    figure = blank(width, 0.25 + deep * (1.75 + 0.13 * max(len(panel) for panel in panels)))
    places = figure.subplots(deep, across, squeeze=False).ravel()
    for axes, panel in zip(places, panels, strict=False):
        _draw_panel(axes, panel, _range(rows, panel[0].objective), int((inches(width) / across - 0.9) / 0.055))
        axes.set_xlabel(f"{stage} {_AXES[x]}", parse_math=False)
        axes.set_ylabel("loss" + (f", mean of {smooth} points" if smooth > 1 else ""))
    for axes in places[len(panels) :]:
        axes.remove()
    return finished(figure, _said(rows, stage), _note(rows))


def _chosen(logged: pd.DataFrame, stage: str) -> str:
    """The stage that is asked for, or pretraining, or the first that there is."""
    stages = sorted(logged["stage"].unique(), key=lambda one: bool(one != "pretrain"))
    if not stages:
        raise UserError("no finished cell has a loss curve", remedy="name the results folder itself")
    if stage and stage not in stages:
        raise unknown("stage", stage, stages, "--stage")
    return stage or str(stages[0])


def _read(results: Results, logged: pd.DataFrame, x: str, smooth: int) -> Iterator[_RowCurves]:
    """One entry a row that has this stage, in the grids' order."""
    settings = {(one.order.name, one.id): one.asked["settings"] for one in results.records()}
    rows = dict(list(logged.groupby(["grid", "row"], sort=False)))
    for key in named_rows(results):
        if key not in rows:
            continue
        cells = [cell.sort_values("step") for _, cell in rows[key].sort_values("seed").groupby("seed")]
        stage, asked = str(cells[0]["stage"].iloc[0]), settings[key[0], str(cells[0]["cell"].iloc[0])]
        least = min(len(cell) for cell in cells)
        at = cells[0]["step"].to_numpy(float)[:least] + 1
        losses = np.stack([_smoothed(cell["value"].to_numpy(float)[:least], smooth) for cell in cells])
        objective = str(asked["objective"]) if stage == "pretrain" else ""
        scale = _samples(asked, stage) if x == "samples" else 1.0
        yield _RowCurves((label(results, *key),), objective, at * scale, losses)


def _samples(settings: dict[str, Any], stage: str) -> float:
    """Samples that one step sees."""
    where = settings["budget"] if stage == "pretrain" else settings["protocol"][stage]
    return float(where["batch"])


def _smoothed(losses: Line, points: int) -> Line:
    """The mean of the last `points` (at the start: of as many as there are)."""
    return np.array([losses[max(0, at + 1 - points) : at + 1].mean() for at in range(len(losses))])


def _joined(rows: Iterable[_RowCurves]) -> list[_RowCurves]:
    """Rows that trained the very same (they share a pretraining) as one line."""
    found: dict[bytes, _RowCurves] = {}
    for row in rows:
        key = row.losses.tobytes() + row.at.tobytes()
        before = found[key].names if key in found else ()
        found[key] = _RowCurves((*before, *row.names), row.objective, row.at, row.losses)
    return list(found.values())


def _panels(rows: Sequence[_RowCurves]) -> Iterator[list[_RowCurves]]:
    """Rows of one objective, spread evenly over panels of as many lines as there are inks."""
    for objective in dict.fromkeys(row.objective for row in rows):
        mine = [row for row in rows if row.objective == objective]
        for part in np.array_split(np.arange(len(mine)), -(-len(mine) // len(INKS))):
            yield [mine[at] for at in part]


def _range(rows: Sequence[_RowCurves], objective: str) -> tuple[float, float]:
    """Least and greatest loss of all rows of an objective: its panels share an axis."""
    all_losses = np.concatenate([row.losses.ravel() for row in rows if row.objective == objective])
    finite = all_losses[np.isfinite(all_losses)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def _draw_panel(axes: Axes, rows: Sequence[_RowCurves], ends: tuple[float, float], longest: int) -> None:
    """Lines, an axis over powers of ten where losses span much, and names of at most `longest` letters under it."""
    from matplotlib.ticker import FuncFormatter
    from matplotlib.transforms import ScaledTranslation

    for ink, row in zip(INKS, rows, strict=False):
        at = np.unique(np.linspace(0, row.losses.shape[1] - 1, _MOST).round().astype(int))
        for losses in row.losses if len(row.losses) > 1 else ():
            axes.plot(row.at[at], losses[at], color=ink.colour, linewidth=0.35, alpha=0.45, zorder=1)
        axes.plot(
            row.at[at], row.losses.mean(0)[at], color=ink.colour, linestyle=ink.dash, marker=ink.marker,
            markevery=(0.05, 0.19) if len(at) > 1 else None, markersize=3, zorder=2,
            label=wrapped(row.name, longest, 1),
        )
    if spans(*ends, 4):
        set_plain_log(axes, "y", *ends)
    elif ends[0] < ends[1]:
        air = 0.05 * (ends[1] - ends[0])
        axes.set_ylim(ends[0] - air, ends[1] + air)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axes.set_title(wrapped(rows[0].objective, longest), loc="left", parse_math=False)
    axes.grid(axis="y")
    below = axes.transAxes + ScaledTranslation(0, -0.33, axes.figure.dpi_scale_trans)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, borderaxespad=0, labelspacing=0.2)


def _note(rows: Sequence[_RowCurves]) -> str:
    """What the lines are."""
    seeds = sorted({len(row.losses) for row in rows})
    n = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    parts = [f"Thick: mean over seeds (n={n}); thin: single seeds." if seeds[-1] > 1 else "One seed a row."]
    if len({row.objective for row in rows}) > 1:
        parts.append("Losses of different objectives cannot be compared.")
    return " ".join(parts)


def _said(rows: Sequence[_RowCurves], stage: str) -> str:
    """The picture in a line."""
    ends = "; ".join(f"{row.name} {row.losses[:, -1].mean():.2f}" for row in rows[:12])
    return f"loss of {stage} of {len(rows)} rows, at the end: {ends}"
