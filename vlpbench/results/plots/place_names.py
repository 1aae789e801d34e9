"""Names at points: each beside its own, clear of the others, with a thin line where it had to go further away."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vlpbench.results.plots.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["place_names"]

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels."""

_DISTANCES = (6, 10, 15, 21, 28, 36, 46, 58, 72, 90, 110, 135)
"""Pixels (of a hundredth of an inch) from the point to the name's nearest edge."""

_LEADS = 11
"""From this distance on a line leads to the name."""

_PARTS = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""Where a leading line is looked at, as parts of its length."""


def place_names(figure: Figure, axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str]) -> None:
    """Write a name at each point (in the data's coordinates), clear of all lines that `axes` has.

    The figure must be finished in all else: its layout is made here once, and names take no part in it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    figure.draw_without_rendering()
    size = 6.5 if len(names) <= 16 else 5.5
    at = [(float(x), float(y)) for x, y in axes.transData.transform(points)]
    marked = [(x - 4, y - 4, x + 4, y + 4) for x, y in at]
    lines = list(_drawn(axes))
    room = axes.get_window_extent(renderer)
    inside = (room.x0 + 2, room.y0 + 2, room.x1 - 1, room.y1 - 1)
    taken: list[Box] = []
    for place in sorted(range(len(names)), key=lambda place: (-at[place][1], at[place][0])):
        text = axes.text(0, 0, names[place], fontsize=size, parse_math=False, linespacing=0.9)
        extent = text.get_window_extent(renderer)
        text.remove()
        x, y = at[place]
        costs = [
            (_cost(one, inside, taken, marked, lines) + _crossed((x, y), one, taken, marked), one)
            for one in _candidates(x, y, extent.width, extent.height)
        ]
        distance, box = min(costs, key=lambda one: one[0])[1]  # of equals the first: the right side
        taken.append((box[0] - 3, box[1] - 1, box[2] + 3, box[3] + 1))
        lines += _lead((x, y), (distance, box))
        _write(axes, names[place], points[place], ((box[0] - x, box[1] - y), distance), size)


def _drawn(axes: Axes) -> Iterator[Box]:
    """Boxes around all pieces of all lines (steps as drawn; grid lines and the axis' own are no such lines)."""
    for line in axes.lines:
        path = line.get_transform().transform_path(line.get_path())
        corners = [(float(x), float(y)) for x, y in np.asarray(path.vertices)]
        if line.get_drawstyle() == "steps-post":
            turns = [(to_x, y) for (_, y), (to_x, _) in pairwise(corners)]
            pairs = zip(corners, [*turns, corners[-1]], strict=True)
            corners = [corner for pair in pairs for corner in pair]
        for (x, y), (to_x, to_y) in pairwise(corners):
            yield min(x, to_x) - 1, min(y, to_y) - 1, max(x, to_x) + 1, max(y, to_y) + 1


def _candidates(x: float, y: float, width: float, height: float) -> Iterator[tuple[float, Box]]:
    """Boxes around a point, from near to far, the right side first."""
    for distance in _DISTANCES:
        for turn in range(24):
            angle = (turn + 1) // 2 * (math.pi / 12) * (1 if turn % 2 else -1)
            middle_x = x + math.cos(angle) * (distance + width / 2)
            middle_y = y + math.sin(angle) * (distance + height / 2)
            yield distance, (
                middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2
            )


def _cost(
    candidate: tuple[float, Box], inside: Box, taken: Sequence[Box], marked: Sequence[Box], lines: Sequence[Box]
) -> float:
    """How bad a place is: outside, over another name, over a point, over a line, far away."""
    distance, box = candidate
    outside = box[0] < inside[0] or box[1] < inside[1] or box[2] > inside[2] or box[3] > inside[3]
    over = sum(_area(box, other) for other in taken)
    points = sum(_area(box, other) > 0 for other in marked)
    crossed = sum(_area(box, other) > 0 for other in lines)
    return 1e6 * outside + 1e3 * (over > 0) + over + 90 * points + 18 * crossed + distance


def _lead(point: tuple[float, float], candidate: tuple[float, Box]) -> list[Box]:
    """Small boxes along the line that leads from a point to its name; none where there is no line."""
    distance, box = candidate
    if distance < _LEADS:
        return []
    end = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    steps = [(point[0] + part * (end[0] - point[0]), point[1] + part * (end[1] - point[1])) for part in _PARTS]
    outside = [(x, y) for x, y in steps if not (box[0] < x < box[2] and box[1] < y < box[3])]
    return [(x - 2, y - 2, x + 2, y + 2) for x, y in outside]


def _crossed(
    point: tuple[float, float], candidate: tuple[float, Box], taken: Sequence[Box], marked: Sequence[Box]
) -> float:
    """How bad it is that the line to a name runs through other names, or other points."""
    steps = [step for step in _lead(point, candidate) if math.dist(step[:2], (point[0] - 2, point[1] - 2)) > 9]
    names = sum(_area(step, other) > 0 for step in steps for other in taken)
    return 120.0 * names + 25.0 * sum(_area(step, other) > 0 for step in steps for other in marked)


def _area(one: Box, other: Box) -> float:
    """Of what two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    deep = min(one[3], other[3]) - max(one[1], other[1])
    return across * deep if across > 0 and deep > 0 else 0.0


def _write(
    axes: Axes, name: str, point: tuple[float, float], where: tuple[tuple[float, float], float], size: float
) -> None:
    """The name, its lower left corner so many pixels from the point."""
    (dx, dy), distance = where
    scale = 72 / axes.figure.dpi
    line = {"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": 2.5}
    written = axes.annotate(
        name, point, (dx * scale, dy * scale), textcoords="offset points", ha="left", va="bottom", fontsize=size,
        parse_math=False, linespacing=0.9, annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.2, "alpha": 0.75},
        arrowprops=line if distance >= _LEADS else None, zorder=4,
    )
    written.set_in_layout(False)
