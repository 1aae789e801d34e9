"""Pairs of 64-bit codes that differ in few bits, found without comparing every code with every other.

Codes are cut into four bands of 16 bits. Of two codes that differ in at most 11 bits, some band differs in at most 2
(else there were 12), so it is enough to look up, band by band, the 137 values that are so near (multi-index hashing,
arXiv 1307.2982).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["FAR", "pairs_within"]

FAR = 11
"""The most bits in which two codes of a pair differ."""

_BANDS, _BITS, _RADIUS = 4, 16, 2
_VALUES = 1 << _BITS

_MOST = 1 << 22
"""Candidates that are looked at together."""

Codes = NDArray[np.uint64]
Rows = NDArray[np.int64]


def pairs_within(left: Codes, right: Codes) -> tuple[Rows, Rows]:
    """Rows of `left` and of `right` (K each) whose codes differ in at most `FAR` bits; by `right`, then by `left`."""
    if not len(left) or not len(right):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    found = np.concatenate([
        other * len(left) + one for band in range(_BANDS) for one, other in _in_band(left, right, band)
    ])
    other, one = np.divmod(np.unique(found), len(left))
    return one, other


def _in_band(left: Codes, right: Codes, band: int) -> Iterator[tuple[Rows, Rows]]:
    """The pairs that are found by one band, some at a time."""
    held, asked = _cut(left, band), _cut(right, band)
    order = np.argsort(held, kind="stable")
    starts = np.searchsorted(held[order], np.arange(_VALUES + 1))
    for rows in _portions(np.diff(starts), asked):
        near = asked[rows, None] ^ _NEAR  # R, 137
        first, many = starts[near].ravel(), np.diff(starts)[near].ravel()
        each = np.repeat(first - (np.cumsum(many) - many), many) + np.arange(many.sum())
        one = order[each]
        other = np.repeat(rows, many.reshape(near.shape).sum(1))
        kept = _bits(left[one] ^ right[other]) <= FAR
        yield one[kept], other[kept]


def _portions(many: Rows, asked: Rows) -> Iterator[Rows]:
    """Rows of `asked` in runs that have at most `_MOST` candidates together, or are a single row."""
    run, held = 0, 0
    for begin in range(0, len(asked), 4096):
        counts = many[asked[begin : begin + 4096, None] ^ _NEAR].sum(1)
        for row, count in enumerate(counts.tolist(), begin):
            if row > run and (held + count > _MOST or row - run >= 4096):
                yield np.arange(run, row)
                run, held = row, 0
            held += count
    yield np.arange(run, len(asked))


def _cut(codes: Codes, band: int) -> Rows:
    """One band of each code as a number."""
    return ((codes >> np.uint64(band * _BITS)) & np.uint64(_VALUES - 1)).astype(np.int64)


def _bits(codes: Codes) -> NDArray[np.int64]:
    """How many bits of each code are set."""
    parts = np.ascontiguousarray(codes).view(np.uint16).reshape(-1, _BANDS)
    return np.asarray(_SET[parts].sum(1), np.int64)


_SET = np.array([value.bit_count() for value in range(_VALUES)])
"""How many bits of a value are set."""

_NEAR: Rows = np.flatnonzero(_SET <= _RADIUS)
"""What a value is XORed with to give all that differ from it in at most `_RADIUS` bits."""
