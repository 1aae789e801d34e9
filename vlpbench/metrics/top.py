"""The best items of each query, best first and the first listed first where scores tie: a partial sort in blocks.

Axes: I images, T texts, Q queries (I or T), k items. NumPy's partial sort leaves open which of several items that tie
at the last place are kept; here it is those that come first in the gallery, so that a list never depends on chance.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError
from vlpbench.metrics.score_blocks import ScoreBlocks, matrix_scores, vector_scores

__all__ = ["Top", "top", "top_of_vectors"]

BLOCK = 1 << 23
"""Scores sorted at a time: 32 MB of float32."""
Top = tuple[NDArray[np.int64], NDArray[Any]]
"""Items (Q,k) and their scores (Q,k)."""


def top(similarity: ArrayLike, k: int, axis: Literal[0, 1] = 1) -> Top:
    """The k best items of each query of an I x T matrix, and their scores.

    `axis` 1: the texts of each image, Q = I; 0: the images of each text, Q = T. A k larger than the gallery gives the
    whole gallery. UserError for a k below 1 and for scores that are not finite.
    """
    return _top(matrix_scores(similarity, BLOCK), k, axis)


def top_of_vectors(
    images: ArrayLike, texts: ArrayLike, k: int, axis: Literal[0, 1] = 1, rows: int | None = None
) -> Top:
    """`top` of `images` (I,E) @ `texts` (T,E) transposed, made in float32 blocks of `rows` images."""
    return _top(vector_scores(images, texts, rows), k, axis)


def _top(scores: ScoreBlocks, k: int, axis: Literal[0, 1]) -> Top:
    """Rows are sorted block by block; of columns, the best so far go on to the next block."""
    if k < 1:
        raise UserError(f"a list holds 1 item or more, not {k}")
    if axis not in (0, 1):
        raise UserError(f"axis is 1 (the texts of each image) or 0 (the images of each text), not {axis}")
    if not scores.images or not scores.texts:
        raise UserError(f"there is nothing to list among {scores.images} images and {scores.texts} texts")
    if axis == 1:
        parts = [_best(block, k) for _, block in scores]
        return np.concatenate([items for items, _ in parts]), np.concatenate([found for _, found in parts])
    kept: Top | None = None
    for start, block in scores:
        items, found = _best(np.ascontiguousarray(block.T), k)
        kept = (items + start, found) if kept is None else _joined(kept, (items + start, found), k)
    assert kept is not None
    return kept


def _joined(before: Top, after: Top, k: int) -> Top:
    """The best k of two lists for each query; all items of the first come before those of the second in the gallery."""
    items, found = (np.concatenate(pair, axis=1) for pair in zip(before, after, strict=True))
    # Within each list equal scores stand in gallery order already, so a stable sort keeps that order.
    order = _descending(found)[:, :k]
    return np.take_along_axis(items, order, axis=1), np.take_along_axis(found, order, axis=1)


def _best(block: NDArray[Any], k: int) -> Top:
    """The best k columns of each row (R,N)."""
    rows, many = block.shape
    if k >= many:
        order = _descending(block)
        return order, np.take_along_axis(block, order, axis=1)
    last = np.partition(block, many - k, axis=1)[:, many - k, None]
    level = block >= last
    crowded = np.flatnonzero(np.count_nonzero(level, axis=1) > k)
    for row in crowded:  # more items tie at the last place than fit: the first ones stay
        at_last = np.flatnonzero(block[row] == last[row])
        level[row, at_last[k - np.count_nonzero(block[row] > last[row]) :]] = False
    items = np.nonzero(level)[1].reshape(rows, k)
    found = np.take_along_axis(block, items, axis=1)
    order = _descending(found)
    return np.take_along_axis(items, order, axis=1), np.take_along_axis(found, order, axis=1)


def _descending(scores: NDArray[Any]) -> NDArray[np.int64]:
    """The order of each row from the highest score down, the first first where they tie; for any type of number."""
    backwards = np.argsort(scores[:, ::-1], axis=1, kind="stable")[:, ::-1]
    return np.asarray(scores.shape[1] - 1 - backwards, dtype=np.int64)
