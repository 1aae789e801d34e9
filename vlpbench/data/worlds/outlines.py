"""The outlines of shapes as masks, in whole numbers only, so that every machine draws the same bytes."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vlpbench.data.worlds.drawing import FULL

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SHAPES", "outline"]

_SAMPLES = 8
"""Points a side of a pixel that are tried: a pixel is as opaque as many of them are inside."""

_UNIT = 1000
"""Half the side of the box, in the units of the outlines below; the origin is its middle, y points down."""

_CIRCLES: Mapping[str, Sequence[tuple[int, int]]] = {
    "circle": ((0, 1000),),
    "ring": ((0, 1000), (0, 560)),
    "moon": ((0, 1000), (560, 840)),
}
"""Discs as the x of their middle and their radius; the second one is cut out of the first."""

_CORNERS: Mapping[str, Sequence[tuple[int, int]]] = {
    "square": ((-880, -880), (880, -880), (880, 880), (-880, 880)),
    "triangle": ((0, -1000), (1000, 880), (-1000, 880)),
    "cross": (
        (-340, -1000), (340, -1000), (340, -340), (1000, -340), (1000, 340), (340, 340),
        (340, 1000), (-340, 1000), (-340, 340), (-1000, 340), (-1000, -340), (-340, -340),
    ),
    "diamond": ((0, -1000), (900, 0), (0, 1000), (-900, 0)),
    "star": (
        (0, -1000), (235, -324), (951, -309), (380, 124), (588, 809),
        (0, 400), (-588, 809), (-380, 124), (-951, -309), (-235, -324),
    ),
    "bar": ((-1000, -320), (1000, -320), (1000, 320), (-1000, 320)),
}
"""Corners of polygons, in order."""

SHAPES = ("circle", "square", "triangle", "cross", "ring", "diamond", "bar", "moon", "star")
"""All shapes, the easiest to tell apart first."""


@functools.cache
def outline(shape: str, side: int) -> NDArray[np.int64]:
    """side, side: the mask of a shape, 0 to FULL; edges are as soft as a pixel is covered. Do not write to it."""
    number = side * _SAMPLES
    middles = (2 * np.arange(number) + 1 - number) * _UNIT  # of the points, in units of 1 / number
    x, y = middles[None, :], middles[:, None]
    if shape in _CIRCLES:
        whole, *cut = ((x - at * number) ** 2 + y**2 <= (radius * number) ** 2 for at, radius in _CIRCLES[shape])
        inside = whole & ~cut[0] if cut else whole
    else:
        inside = _inside([(across * number, down * number) for across, down in _CORNERS[shape]], x, y)
    covered: NDArray[np.int64] = inside.reshape(side, _SAMPLES, side, _SAMPLES).sum((1, 3), dtype=np.int64)
    return covered * (FULL // _SAMPLES**2)


def _inside(corners: Sequence[tuple[int, int]], x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which points lie in a polygon: a ray to the right crosses its edges an odd number of times."""
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        spans = (y0 <= y) & (y < y1)
        inside ^= spans & ((x - x0) * (y1 - y0) < (x1 - x0) * (y - y0))
    return inside
