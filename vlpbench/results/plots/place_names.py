"""Names at points: each beside its own, clear of the others, with a thin line where it had to go further away."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vlpbench.results.plots.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["place_names"]

Spot = tuple[float, float]
"""Pixels from the left and from below."""
Box = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels."""

_DISTANCES = (6, 10, 15, 21, 28, 36, 46, 58, 72, 90, 110, 135)
"""Pixels (of a hundredth of an inch) from the point to the name's nearest edge."""

_LEADS = 11
"""From this distance on a line leads to the name."""

_PARTS = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""Where a leading line is looked at, as parts of its length."""


@dataclass
class _Page:
    """What is where while names are placed."""

    inside: Box
    """Names stay in here."""
    points: Sequence[Spot]
    """All points."""
    lines: list[Box]
    """Pieces of lines."""
    taken: list[Box] = field(default_factory=list)
    """Names that have their place, with some air."""

    def badness(self, own: Spot, distance: float, box: Box) -> float:
        """How bad a place is for a name: outside, over a name, point or line, mistaken for another's, far away."""
        edges = self.inside
        is_outside = box[0] < edges[0] or box[1] < edges[1] or box[2] > edges[2] or box[3] > edges[3]
        over = sum(_area(box, other) for other in self.taken)
        points = sum(_away(box, point) < 3 for point in self.points)
        crossed = sum(_area(box, other) > 0 for other in self.lines)
        sum_of_all = 1e6 * is_outside + 1e3 * (over > 0) + over + 90 * points + 18 * crossed + distance
        return sum_of_all + (self._led(own, box) if distance >= _LEADS else self._mistaken(own, distance, box))

    def _led(self, own: Spot, box: Box) -> float:
        """How bad it is that the line to a name runs through other names, or other points."""
        steps = [step for step in _lead(own, box) if math.dist(_middle(step), own) > 9]
        names = sum(_area(step, other) > 0 for step in steps for other in self.taken)
        return 120.0 * names + 25.0 * sum(_away(step, point) < 4 for step in steps for point in self.points)

    def _mistaken(self, own: Spot, distance: float, box: Box) -> float:
        """How bad it is that a name without a line stands as near to another point as to its own."""
        return 70.0 * any(_away(box, point) < distance + 3 for point in self.points if point != own)


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
    room = axes.get_window_extent(renderer)
    page = _Page((room.x0 + 2, room.y0 + 2, room.x1 - 1, room.y1 - 1), at, list(_drawn(axes)))
    for place in sorted(range(len(names)), key=lambda place: (-at[place][1], at[place][0])):
        text = axes.text(0, 0, names[place], fontsize=size, parse_math=False, linespacing=0.9)
        extent = text.get_window_extent(renderer)
        text.remove()
        choices = list(_candidates(at[place], extent.width, extent.height))
        costs = [page.badness(at[place], *choice) for choice in choices]
        distance, box = choices[costs.index(min(costs))]  # of equals the first: the right side
        page.taken.append((box[0] - 3, box[1] - 1, box[2] + 3, box[3] + 1))
        if distance >= _LEADS:
            page.lines += _lead(at[place], box)
        corner = (box[0] - at[place][0], box[1] - at[place][1])
        _write(axes, names[place], points[place], corner, size, distance >= _LEADS)


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


def _candidates(point: Spot, width: float, height: float) -> Iterator[tuple[float, Box]]:
    """Distances and boxes around a point, from near to far, the right side first."""
    for distance in _DISTANCES:
        for turn in range(24):
            angle = (turn + 1) // 2 * (math.pi / 12) * (1 if turn % 2 else -1)
            x = point[0] + math.cos(angle) * (distance + width / 2)
            y = point[1] + math.sin(angle) * (distance + height / 2)
            yield distance, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _lead(point: Spot, box: Box) -> list[Box]:
    """Small boxes along the line that leads from a point to its name."""
    end = _middle(box)
    steps = [(point[0] + part * (end[0] - point[0]), point[1] + part * (end[1] - point[1])) for part in _PARTS]
    return [(x - 2, y - 2, x + 2, y + 2) for x, y in steps if _away(box, (x, y)) > 0]


def _middle(box: Box) -> Spot:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _away(box: Box, point: Spot) -> float:
    """From a point to the nearest edge of a box; 0 inside."""
    x, y = point
    return math.hypot(max(box[0] - x, 0, x - box[2]), max(box[1] - y, 0, y - box[3]))


def _area(one: Box, other: Box) -> float:
    """Of what two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    deep = min(one[3], other[3]) - max(one[1], other[1])
    return across * deep if across > 0 and deep > 0 else 0.0


def _write(
    axes: Axes, name: str, point: tuple[float, float], corner: Spot, size: float, has_line: bool
) -> None:
    """The name, its lower left corner so many pixels from the point."""
    scale = 72 / axes.figure.dpi
    line = {"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": 2.5}
    written = axes.annotate(
        name, point, (corner[0] * scale, corner[1] * scale), textcoords="offset points", ha="left", va="bottom",
        fontsize=size, parse_math=False, linespacing=0.9, annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.2, "alpha": 0.75},
        arrowprops=line if has_line else None, zorder=4,
    )
    written.set_in_layout(False)
