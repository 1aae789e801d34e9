"""Whether two pictures look alike: 64-bit codes that a copy shares with its original, and a look at the pixels.

The code says on which side of their median the 64 lowest frequencies of a 32 x 32 grey thumbnail lie (as pHash does;
C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010). Each picture has a
second code, that of its middle, which a copy without edges shares. Codes find pairs, pixels decide:
the correlation of the coloured thumbnails, the edges of either trimmed a little so that a cropped copy fits again.
Correlation knows no brightness and no contrast. Not recognised are mirrored, rotated and strongly cropped copies, and
those of pictures so small that re-encoding changes most of what is to be seen.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.data.undecoded import Pixels

__all__ = ["SIDE", "VERSION", "alike", "codes", "correlation", "thumbnails"]

VERSION = 1
"""Raised when the same picture gives another code."""

SIDE = 32
"""Pixels a side of a thumbnail."""

_LOWEST = 10
"""Frequencies a side that the 64 lowest are picked from."""

_FLAT = 2.0
"""Standard deviation of the grey of a thumbnail, of 255, below which it shows nothing that could be compared."""

_EDGE = 0.02
"""Share of a side that the second code leaves out at each of the four edges."""

_TRIMS = (0.0, 0.015, 0.03)
"""Shares of a side that may have been cut off at each of the four edges."""

_BLOCK = 1 << 24
"""Bytes of pixels that are looked at together; as floats they are four times as many."""

_PAIRS = 32
"""Pairs that are trimmed together: about 1 MiB each."""

Floats = NDArray[np.float32]


def thumbnails(pixels: NDArray[np.uint8]) -> Floats:
    """N, 3, SIDE, SIDE: means over equal areas of N, S, S, 3."""
    number, size = pixels.shape[:2]
    areas = _areas(size)
    rows = areas @ pixels.astype(np.float32).reshape(number, size, size * 3)
    found: Floats = np.ascontiguousarray(rows.reshape(number, SIDE, size, 3).transpose(0, 3, 1, 2)) @ areas.T
    return found


def _grey(pixels: NDArray[np.uint8]) -> Floats:
    """N, SIDE, SIDE: the luma of the thumbnails, in one product for columns and colours."""
    number, size = pixels.shape[:2]
    areas = _areas(size)
    columns = (areas.T[:, None] * _LUMA[None, :, None]).reshape(size * 3, SIDE)
    found: Floats = areas @ (pixels.astype(np.float32).reshape(-1, size * 3) @ columns).reshape(number, size, SIDE)
    return found


@functools.cache
def _areas(size: int) -> Floats:
    """SIDE, size: the share of each pixel of an axis in each mean."""
    edges = np.arange(SIDE + 1) * (size / SIDE)
    at = np.arange(size)
    begun, ended = np.maximum(edges[:-1, None], at), np.minimum(edges[1:, None], at + 1)
    shares: Floats = (np.maximum(ended - begun, 0) * (SIDE / size)).astype(np.float32)
    return shares


def codes(pixels: Pixels) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """N, 2: the codes of each picture and of its middle; N: which are blank, of which their codes say nothing."""
    found = np.zeros((len(pixels), 2), np.uint64)
    blank = np.zeros(len(pixels), np.bool_)
    step = max(1, _BLOCK // int(np.prod(pixels.shape[1:])))
    for start in range(0, len(pixels), step):
        part = slice(start, start + step)
        grey = _grey(pixels[part])
        blank[part] = grey.std((1, 2)) < _FLAT
        found[part, 0] = _coded(_WAVES @ grey @ _WAVES.T)
        found[part, 1] = _coded(_MIDDLE @ grey @ _MIDDLE.T)
    return found, blank


def _coded(waves: NDArray[np.floating[Any]]) -> NDArray[np.uint64]:
    """N: the codes of N, _LOWEST, _LOWEST frequencies."""
    lowest = waves[:, *_LOW]  # N, 64
    bits = lowest > np.median(lowest, axis=1, keepdims=True)
    return np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint64).ravel()


def correlation(one: Floats, other: Floats) -> Floats:
    """K: Pearson's correlation of the pixels of K pairs of thumbnails, all colours together; 0 where one is blank."""
    a, b = (x.reshape(len(x), -1) - x.reshape(len(x), -1).mean(1, keepdims=True) for x in (one, other))
    scale = np.sqrt(np.einsum("ki,ki->k", a, a) * np.einsum("ki,ki->k", b, b))
    return np.asarray(np.einsum("ki,ki->k", a, b) / np.maximum(scale, 1e-6), np.float32)


def alike(one: Floats, other: Floats) -> Floats:
    """K: the highest correlation of K pairs of thumbnails over all ways to trim the edges of one of the two."""
    found = correlation(one, other)
    for start in range(0, len(one), _PAIRS):
        part = slice(start, start + _PAIRS)
        for whole, cut in ((one[part], other[part]), (other[part], one[part])):
            found[part] = np.maximum(found[part], _trimmed(whole, cut))
    return found


def _trimmed(whole: Floats, cut: Floats) -> Floats:
    """K: the highest correlation of `whole` with `cut` less its edges, enlarged to the same size."""
    ways = len(_WINDOWS) // SIDE
    made = (_WINDOWS @ cut @ _WINDOWS.T).reshape(len(cut), 3, ways, SIDE, ways, SIDE)
    pixels = 3 * SIDE * SIDE
    centred = whole - whole.mean((1, 2, 3), keepdims=True)
    both = np.einsum("kciajb,kcab->kij", made, centred, optimize=True)
    sums = made.sum((1, 3, 5))
    squares = np.einsum("kciajb,kciajb->kij", made, made) - sums * sums / pixels
    scale = np.sqrt(np.maximum(squares, 0) * (centred**2).sum((1, 2, 3))[:, None, None])
    return np.asarray((both / np.maximum(scale, 1e-6)).max((1, 2)), np.float32)


def _waves() -> Floats:
    """_LOWEST, SIDE: the first rows of the orthonormal DCT-II."""
    at, wave = np.arange(SIDE), np.arange(_LOWEST)[:, None]
    rows: Floats = (np.cos(np.pi * (2 * at + 1) * wave / (2 * SIDE)) * np.sqrt(2 / SIDE)).astype(np.float32)
    rows[0] /= np.float32(np.sqrt(2))
    return rows


def _low() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the 64 lowest frequencies but the mean, by their sum, then by their squares."""
    both = itertools.product(range(_LOWEST), repeat=2)
    order = sorted(both, key=lambda one: (sum(one), one[0] ** 2 + one[1] ** 2, one))
    rows, columns = zip(*order[1:65], strict=True)
    return np.array(rows), np.array(columns)


def _window(begin: float, end: float) -> Floats:
    """SIDE, SIDE: enlarges what is left of an axis without these shares at its ends to the whole (bilinear)."""
    at = np.clip(((np.arange(SIDE) + 0.5) / SIDE * (1 - begin - end) + begin) * SIDE - 0.5, 0, SIDE - 1)
    below = np.minimum(np.floor(at).astype(int), SIDE - 2)
    window = np.zeros((SIDE, SIDE), np.float32)
    window[np.arange(SIDE), below] = 1 - (at - below)
    window[np.arange(SIDE), below + 1] = at - below
    return window


_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Luma of BT.601."""

_WAVES, _LOW = _waves(), _low()

_MIDDLE: Floats = _WAVES @ _window(_EDGE, _EDGE)
"""The waves of an axis without its ends."""

_WINDOWS = np.concatenate([_window(begin, end) for begin, end in itertools.product(_TRIMS, repeat=2)])
"""W * SIDE, SIDE: every way to trim an axis."""
