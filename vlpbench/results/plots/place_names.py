"""Names at points: each beside its own, clear of the others, with a thin line where it had to go further away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.results.plots.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["place_names"]

Spot = tuple[float, float]
"""Pixels from the left and from below."""
Box = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels."""

Array = NDArray[np.float64]

_DISTANCES = (6, 10, 15, 21, 28, 36, 46, 58, 72, 90, 110, 135)
"""Pixels (of a hundredth of an inch) from the point to the name's nearest edge."""

_LEADS = 11
"""From this distance on a line leads to the name."""

_PARTS = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""Where a leading line is looked at, as parts of its length."""


@dataclass
class _Page:
    """What is where while names are placed. Axes: C places that a name could have."""

    inside: Box
    """Names stay in here."""
    points: Array
    """N, 2: all points."""
    lines: Array
    """L, 4: pieces of lines."""
    taken: Array = field(default_factory=lambda: np.zeros((0, 4)))
    """K, 4: names that have their place, with some air."""

    def badness(self, own: Spot, distances: Array, boxes: Array) -> Array:
        """C: how bad a place is: outside, over a name, point or line, mistaken for another's, far away."""
        low, high = np.array(self.inside[:2]), np.array(self.inside[2:])
        is_outside = (boxes[:, :2] < low).any(1) | (boxes[:, 2:] > high).any(1)
        over = _areas(boxes, self.taken).sum(1)
        near = _away(boxes, self.points)
        crossed = (_areas(boxes, self.lines) > 0).sum(1)
        cost = 1e6 * is_outside + 1e3 * (over > 0) + over + 90 * (near < 3).sum(1) + 18 * crossed + distances
        others = near[:, (self.points != own).any(1)]
        mistaken = 70.0 * (others < distances[:, None] + 3).any(1)
        return np.asarray(cost + np.where(distances >= _LEADS, self._led(own, boxes), mistaken))

    def _led(self, own: Spot, boxes: Array) -> Array:
        """C: how bad it is that the line to a name runs through other names, or other points."""
        steps, is_there = _leads(own, boxes)
        is_there &= np.hypot(*((steps[..., :2] + steps[..., 2:]) / 2 - own).transpose(2, 0, 1)) > 9
        flat = steps.reshape(-1, 4)
        names = (_areas(flat, self.taken) > 0).sum(1) * is_there.ravel()
        points = (_away(flat, self.points) < 4).sum(1) * is_there.ravel()
        return np.asarray((120.0 * names + 25.0 * points).reshape(len(boxes), -1).sum(1))


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
    lines = np.array(list(_drawn(axes)) or np.zeros((0, 4)))
    page = _Page((room.x0 + 2, room.y0 + 2, room.x1 - 1, room.y1 - 1), np.array(at), lines)
    for place in sorted(range(len(names)), key=lambda place: (-at[place][1], at[place][0])):
        text = axes.text(0, 0, names[place], fontsize=size, parse_math=False, linespacing=0.9)
        extent = text.get_window_extent(renderer)
        text.remove()
        distances, boxes = _candidates(at[place], extent.width, extent.height)
        best = int(page.badness(at[place], distances, boxes).argmin())  # of equals the first: the right side
        distance, box = float(distances[best]), boxes[best]
        page.taken = np.vstack([page.taken, box + np.array([-3, -1, 3, 1])])
        if distance >= _LEADS:
            steps, is_there = _leads(at[place], box[None])
            page.lines = np.vstack([page.lines, steps[is_there]])
        corner = (float(box[0]) - at[place][0], float(box[1]) - at[place][1])
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


def _candidates(point: Spot, width: float, height: float) -> tuple[Array, Array]:
    """C distances and C, 4 boxes around a point, from near to far, the right side first."""
    turns = np.arange(24)
    angles = (turns + 1) // 2 * (np.pi / 12) * np.where(turns % 2, 1, -1)
    distances = np.repeat(np.array(_DISTANCES, float), len(turns))
    x = point[0] + np.tile(np.cos(angles), len(_DISTANCES)) * (distances + width / 2)
    y = point[1] + np.tile(np.sin(angles), len(_DISTANCES)) * (distances + height / 2)
    return distances, np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)


def _leads(point: Spot, boxes: Array) -> tuple[Array, NDArray[np.bool_]]:
    """C, P, 4: small boxes along the line that leads from a point to each place; C, P: those outside of the name."""
    ends = (boxes[:, :2] + boxes[:, 2:]) / 2
    steps = np.array(point) + np.array(_PARTS)[:, None] * (ends - point)[:, None]
    beside = np.maximum(np.maximum(boxes[:, None, :2] - steps, steps - boxes[:, None, 2:]), 0)
    return np.concatenate([steps - 2, steps + 2], axis=2), np.asarray(beside.any(2))


def _away(boxes: Array, points: Array) -> Array:
    """C, N: from each point to the nearest edge of each box; 0 inside."""
    beside = np.maximum(boxes[:, None, :2] - points, points - boxes[:, None, 2:])
    return np.asarray(np.hypot(*np.maximum(beside, 0).transpose(2, 0, 1)))


def _areas(boxes: Array, others: Array) -> Array:
    """C, K: of what two boxes share."""
    shared = np.minimum(boxes[:, None, 2:], others[:, 2:]) - np.maximum(boxes[:, None, :2], others[:, :2])
    return np.asarray(np.maximum(shared, 0).prod(2))


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
