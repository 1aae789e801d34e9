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
    scores = matrix_scores(similarity, BLOCK)
    _sane(scores, k, axis)
    if axis == 0:
        for _ in scores:  # a score that is not finite is named by its image and text before the matrix is turned
            continue
        scores = matrix_scores(np.asarray(similarity).T, BLOCK)
    return _of_rows(scores, k)


def top_of_vectors(
    images: ArrayLike, texts: ArrayLike, k: int, axis: Literal[0, 1] = 1, rows: int | None = None
) -> Top:
    """`top` of `images` (I,E) @ `texts` (T,E) transposed, made in float32 blocks of `rows` images."""
    scores = vector_scores(images, texts, rows)
    _sane(scores, k, axis)
    return _of_rows(scores, k) if axis == 1 else _of_columns(scores, k)


def _sane(scores: ScoreBlocks, k: int, axis: int) -> None:
    """UserError unless there is something to list."""
    if k < 1:
        raise UserError(f"a list holds 1 item or more, not {k}")
    if axis not in (0, 1):
        raise UserError(f"axis is 1 (the texts of each image) or 0 (the images of each text), not {axis}")
    if not scores.images or not scores.texts:
        raise UserError(f"there is nothing to list among {scores.images} images and {scores.texts} texts")


def _of_rows(scores: ScoreBlocks, k: int) -> Top:
    """The best k of each row: a block holds all that a row is about."""
    parts = [_sorted(*_kept(block, k)) for _, block in scores]
    return np.concatenate([items for items, _ in parts]), np.concatenate([found for _, found in parts])


def _of_columns(scores: ScoreBlocks, k: int) -> Top:
    """The best k of each column: the best so far, all in gallery order, compete with the rows of the next block."""
    items = np.empty((scores.texts, 0), dtype=np.int64)
    found: NDArray[Any] | None = None
    for start, block in scores:
        before = items.shape[1]
        columns = np.ascontiguousarray(block.T) if found is None else np.concatenate([found, block.T], axis=1)
        places, found = _kept(columns, k)
        if before:
            old = np.take_along_axis(items, np.minimum(places, before - 1), axis=1)
            items = np.where(places < before, old, places - before + start)
        else:
            items = places
    assert found is not None, "a gallery without images is refused"
    return _sorted(items, found)


def _kept(block: NDArray[Any], k: int) -> Top:
    """The best k columns of each row (R,N) and their scores, in the order of the columns."""
    rows, many = block.shape
    if k >= many:
        return np.tile(np.arange(many), (rows, 1)), block.copy()
    last = np.partition(block, many - k, axis=1)[:, many - k, None]
    level = block >= last
    crowded = np.flatnonzero(np.count_nonzero(level, axis=1) > k)
    if len(crowded):  # more items tie at the last place than fit: the first ones stay
        above, at_last = block[crowded] > last[crowded], block[crowded] == last[crowded]
        places = k - np.count_nonzero(above, axis=1, keepdims=True)
        level[crowded] = above | (at_last & (np.cumsum(at_last, axis=1, dtype=np.int32) <= places))
    items = np.nonzero(level)[1].reshape(rows, k)
    return items, np.take_along_axis(block, items, axis=1)


def _sorted(items: NDArray[np.int64], scores: NDArray[Any]) -> Top:
    """The same items, best first; those that tie keep their order."""
    order = _descending(scores)
    return np.take_along_axis(items, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _descending(scores: NDArray[Any]) -> NDArray[np.int64]:
    """The order of each row from the highest score down, the first first where they tie; for any type of number."""
    backwards = np.argsort(scores[:, ::-1], axis=1, kind="stable")[:, ::-1]
    return np.asarray(scores.shape[1] - 1 - backwards, dtype=np.int64)
