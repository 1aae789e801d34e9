"""Outlines: against Pillow's own drawing, and each unlike the others even when small."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlpbench.data.worlds.drawing import FULL
from vlpbench.data.worlds.outlines import _CIRCLES, _CORNERS, SHAPES, outline


def drawn(shape: str, side: int, fold: int = 16) -> np.ndarray:
    """The shape by Pillow at `fold` times the size, averaged."""
    large = Image.new("L", (side * fold, side * fold))
    pen, half = ImageDraw.Draw(large), side * fold / 2
    if shape in _CORNERS:
        pen.polygon([(half + x * half / 1000, half + y * half / 1000) for x, y in _CORNERS[shape]], fill=255)
    else:
        for fill, (at, radius) in zip((255, 0), _CIRCLES[shape], strict=False):
            middle, reach = half + at * half / 1000, radius * half / 1000
            pen.ellipse((middle - reach, half - reach, middle + reach, half + reach), fill=fill)
    return np.asarray(large, float).reshape(side, fold, side, fold).mean((1, 3)) / 255 * FULL


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("side", [6, 9, 16, 41])
def test_a_mask_is_the_shape(shape: str, side: int) -> None:
    mask = outline(shape, side)
    assert mask.shape == (side, side)
    assert 0 <= mask.min() <= mask.max() <= FULL
    difference = np.abs(mask - drawn(shape, side))
    assert difference.mean() < 0.04 * FULL
    assert difference.max() < 0.35 * FULL


@pytest.mark.parametrize("side", [6, 9, 10, 14, 16])
def test_shapes_differ_from_each_other(side: int) -> None:
    masks = {shape: outline(shape, side) / FULL for shape in SHAPES}
    for one, other in itertools.combinations(SHAPES, 2):
        shared = np.minimum(masks[one], masks[other]).sum() / np.maximum(masks[one], masks[other]).sum()
        assert shared < 0.85, (one, other)


def test_circle_and_square_have_their_areas() -> None:
    assert outline("circle", 64).sum() / FULL / 64**2 == pytest.approx(np.pi / 4, abs=0.002)
    assert outline("square", 64).sum() / FULL / 64**2 == pytest.approx(0.88**2, abs=0.01)


def test_all_shapes_can_be_drawn_and_no_other() -> None:
    assert set(SHAPES) == set(_CIRCLES) | set(_CORNERS)
    with pytest.raises(KeyError):
        outline("blob", 8)
