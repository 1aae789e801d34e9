"""A scene becomes pixels, in whole numbers only, so that every machine draws the same bytes."""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vlpbench.data.worlds.scene import Scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FULL", "draw", "enlarged", "png"]

FULL = 256
"""The value of a mask where the thing covers the background completely; 0 is where it does not."""

_UNIT = 1024
"""The sum of the weights of one enlarged pixel."""


@functools.cache
def _weights(side: int, pixels: int) -> NDArray[np.int64]:
    """side, pixels: what each old pixel gives to each new one (Catmull-Rom cubic), rows summing to _UNIT."""
    centre = (np.arange(side) + 0.5) * pixels / side - 0.5
    first = np.floor(centre).astype(np.int64)
    result = np.zeros((side, pixels))
    for offset in range(-1, 3):
        t = np.abs(centre - (first + offset))
        near = 1.5 * t**3 - 2.5 * t**2 + 1
        far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
        at = np.clip(first + offset, 0, pixels - 1)
        np.add.at(result, (np.arange(side), at), np.where(t <= 1, near, np.where(t < 2, far, 0.0)))
    whole = np.round(result * _UNIT).astype(np.int64)
    whole[np.arange(side), whole.argmax(1)] += _UNIT - whole.sum(1)
    return whole


def enlarged(picture: NDArray[Any], side: int, brightest: int) -> NDArray[np.int64]:
    """A mask of `side` x `side`, 0 to FULL, from a small square picture of whole numbers 0 to `brightest`."""
    weights = _weights(side, picture.shape[0])
    mixed = weights @ picture.astype(np.int64) @ weights.T
    mask: NDArray[np.int64] = np.clip(mixed * FULL // (brightest * _UNIT * _UNIT), 0, FULL)
    return mask


def draw(
    scene: Scene, masks: Sequence[NDArray[Any]], paints: Sequence[tuple[int, int, int]], size: int, noise: int,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """H, W, 3 uint8 RGB: each thing's mask in its paint (dimmed a little at random) over dark noise.

    `masks` and `paints` go with `scene.things`; masks are as large as the boxes. The background's channels are uniform
    in 0 to `noise`.
    """
    canvas = rng.integers(0, noise + 1, (size, size, 3)).astype(np.int64)
    dimmed = rng.integers(215, 256, len(scene.things))
    for thing, mask, paint, light in zip(scene.things, masks, paints, dimmed, strict=True):
        x, y, width, height = thing.box
        part = canvas[y : y + height, x : x + width]
        cover = mask[:, :, None]
        part[...] = (part * (FULL - cover) + np.array(paint) * light // 255 * cover) // FULL
    return canvas.astype(np.uint8)


def png(picture: NDArray[np.uint8]) -> bytes:
    """An RGB picture as a PNG file (PNG specification, 2nd ed.), unfiltered and stored.

    Noise hardly shrinks, and stored bytes do not depend on the version of zlib.
    """
    height, width, _ = picture.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row starts with its filter: 0, none
    rows[:, 1:] = picture.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 0)), (b"IEND", b""))
    written = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)
