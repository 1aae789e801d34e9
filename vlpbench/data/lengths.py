"""Few lengths of texts: a batch is cut to the shortest that holds its longest text, so that less padding is read.

Axes: B samples of a batch, T tokens of a row.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

__all__ = ["few", "shortest", "spared"]

_MOST = 8
"""Lengths at most: each is a shape of its own, which a compiled step is made for once."""

_TILE = 8
"""Tokens: lengths are multiples of it, as kernels go about rows in tiles."""


def few(length: int) -> tuple[int, ...]:
    """The lengths that a batch of texts of at most `length` tokens may have, from the shortest on."""
    step = _TILE * -(-length // (_TILE * _MOST))
    return (*range(step, length, step), length)


def shortest(mask: np.ndarray) -> int:
    """The least of the few lengths up to T that holds every text of a batch; `mask` (B, T) is True on tokens."""
    used = int(np.flatnonzero(mask.any(axis=0)).max(initial=-1)) + 1
    return next(one for one in few(mask.shape[1]) if one >= used)


def spared(padding: Iterable[tuple[int, int]]) -> float:
    """The share of all padding that some batches are rid of, 0 to 1; `padding` is what each says of itself."""
    found = list(padding)
    whole = sum(most for _, most in found)
    return 1 - sum(left for left, _ in found) / whole if whole else 0.0
