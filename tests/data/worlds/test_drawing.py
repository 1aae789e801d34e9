"""Pixels: enlarging against the definition, blending, and PNG bytes that other programs read."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from vlpbench.data.worlds.drawing import FULL, draw, enlarged, png
from vlpbench.data.worlds.handwriting import BRIGHTEST, handwriting
from vlpbench.data.worlds.scene import Scene, Thing
from vlpbench.streams import generator

RED, BLUE = (255, 0, 0), (0, 0, 255)


def slow_enlarged(picture: np.ndarray, side: int) -> np.ndarray:
    """Catmull-Rom interpolation, pixel by pixel, edges repeated; values as in `picture`."""

    def weight(t: float) -> float:
        t = abs(t)
        if t <= 1:
            return 1.5 * t**3 - 2.5 * t**2 + 1
        return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0

    pixels = len(picture)
    result = np.zeros((side, side))
    for y in range(side):
        for x in range(side):
            v, u = ((y + 0.5) * pixels / side - 0.5, (x + 0.5) * pixels / side - 0.5)
            for j in range(int(np.floor(v)) - 1, int(np.floor(v)) + 3):
                for i in range(int(np.floor(u)) - 1, int(np.floor(u)) + 3):
                    value = picture[min(max(j, 0), pixels - 1), min(max(i, 0), pixels - 1)]
                    result[y, x] += weight(v - j) * weight(u - i) * value
    return result


@pytest.mark.parametrize("side", [8, 13, 16, 37])
def test_enlarged_is_cubic_interpolation(side: int) -> None:
    picture = handwriting().pictures[7]
    wanted = np.clip(slow_enlarged(picture, side) / BRIGHTEST, 0, 1) * FULL
    assert np.abs(enlarged(picture, side, BRIGHTEST) - wanted).max() <= 2


def test_enlarged_keeps_full_and_empty() -> None:
    assert (enlarged(np.full((8, 8), BRIGHTEST), 15, BRIGHTEST) == FULL).all()
    assert (enlarged(np.zeros((8, 8), int), 15, BRIGHTEST) == 0).all()


def test_draw_covers_boxes_and_leaves_the_rest_dark() -> None:
    things = (Thing({"place": 0}, (2, 3, 10, 10)), Thing({"place": 3}, (18, 20, 12, 12)))
    full = [np.full((thing.box[3], thing.box[2]), FULL) for thing in things]
    picture = draw(Scene(things), full, [RED, BLUE], 32, 40, generator(0, "x"))
    assert picture.shape == (32, 32, 3)
    assert picture.dtype == np.uint8
    assert (picture[3:13, 2:12, 0] >= 215).all()
    assert (picture[3:13, 2:12, 1:] == 0).all()
    assert (picture[20:32, 18:30, 2] >= 215).all()
    outside = np.ones((32, 32), bool)
    outside[3:13, 2:12] = outside[20:32, 18:30] = False
    assert picture[outside].max() <= 40
    assert len(np.unique(picture[outside])) > 20, "the background is noisy"


def test_draw_blends_by_the_mask() -> None:
    thing = Thing({"place": 0}, (0, 0, 8, 8))
    half = draw(Scene((thing,)), [np.full((8, 8), FULL // 2)], [RED], 32, 0, generator(0, "x"))
    assert set(np.unique(half[:8, :8, 0])) <= set(range(107, 128))
    assert half[8:].max() == 0


def test_draw_wants_a_mask_for_every_thing() -> None:
    thing = Thing({"place": 0}, (0, 0, 8, 8))
    with pytest.raises(ValueError, match="shorter"):
        draw(Scene((thing,)), [], [RED], 32, 0, generator(0, "x"))


@pytest.mark.parametrize("shape", [(32, 32), (128, 128), (5, 3), (300, 200)])
def test_png_is_read_back_bit_by_bit(shape: tuple[int, int]) -> None:
    picture = generator(0, "x").integers(0, 256, (*shape, 3)).astype(np.uint8)
    data = png(picture)
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        assert opened.mode == "RGB"
        assert (np.asarray(opened) == picture).all()
    assert data == png(picture)
    assert struct.unpack(">II", data[16:24]) == (shape[1], shape[0])
