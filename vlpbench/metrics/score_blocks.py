"""Scores of images x texts, read a block of rows at a time: from a matrix, or from vectors whose matrix never exists.

Axes: I images, T texts, E joint width. A block is compared as float32 where the scores are half precision, and in its
own type otherwise; a matrix is never copied as a whole. A block of vectors is the float32 product of some rows of
images with all texts, made into one buffer, so that reading the same rows again gives the same numbers to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError

__all__ = ["ScoreBlocks", "matrix_scores", "owners", "vector_scores"]

CACHED = 1 << 17
"""Scores in a block of a matrix: half a megabyte of float32, so that it stays in the processor's cache."""
PRODUCT = 1 << 22
"""Scores in a block made from vectors, where the caller names no number of rows: 16 MB."""


@dataclass(frozen=True)
class ScoreBlocks:
    """Where scores come from, block by block; every pass over it gives the same numbers."""

    images: int
    """I: rows."""
    texts: int
    """T: columns."""
    rows: int
    """Images in a block, but in the last."""
    read: Callable[[int, int], NDArray[Any]]
    """First row and the one after the last -> these rows (R,T); valid until the next call."""

    def __iter__(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """First row and scores (R,T) of each block; UserError at the first score that is not finite."""
        for start, stop in self._spans():
            block = self.read(start, stop)
            if block.dtype.kind == "f":
                _finite(block, start)
            yield start, block

    def own(self, owner: NDArray[np.int64]) -> NDArray[Any]:
        """T: the score of each text with its own image, taken from the very block that it is compared in."""
        order = np.argsort(owner, kind="stable")
        found: NDArray[Any] | None = None
        for start, stop in self._spans():
            block = self.read(start, stop)
            here = order[slice(*np.searchsorted(owner, (start, stop), sorter=order))]
            if found is None:
                found = np.empty(self.texts, dtype=block.dtype)
            found[here] = block[owner[here] - start, here]
        assert found is not None, "owners() lets no empty gallery through"
        return found

    def _spans(self) -> Iterator[tuple[int, int]]:
        for start in range(0, self.images, self.rows):
            yield start, min(start + self.rows, self.images)


def matrix_scores(similarity: ArrayLike, block: int | None = None) -> ScoreBlocks:
    """Blocks of an I x T matrix (an array, or a memory-mapped one); UserError unless it is one of real numbers.

    Blocks are views of it where its rows lie in one piece in a type that is compared as it is, else copies of few rows.
    `block`: scores in one block, if not as many as stay in the cache (more, where rows must be gathered from columns).
    """
    scores = np.asarray(similarity)
    if scores.ndim != 2 or scores.dtype.kind not in "fiu":
        raise UserError(
            f"a similarity matrix is images x texts of real numbers, not {scores.ndim}-dimensional {scores.dtype}"
        )
    images, texts = scores.shape
    compared = np.promote_types(scores.dtype, np.float32) if scores.dtype.kind == "f" else scores.dtype

    def read(start: int, stop: int) -> NDArray[Any]:
        return np.ascontiguousarray(scores[start:stop], dtype=compared)

    if block is None:
        block = CACHED if images < 2 or abs(scores.strides[0]) >= abs(scores.strides[1]) else PRODUCT
    return ScoreBlocks(images, texts, max(1, block // max(1, texts)), read)


def vector_scores(images: ArrayLike, texts: ArrayLike, rows: int | None = None) -> ScoreBlocks:
    """Blocks of `images` (I,E) @ `texts` (T,E) transposed, in float32, `rows` images at a time.

    The same vectors may give numbers that differ in their last bit at another place of a block or with other `rows`, as
    with any matrix product: what is compared is always taken from one and the same block.
    """
    left, right = np.asarray(images), np.asarray(texts)
    for name, vectors in (("image", left), ("text", right)):
        if vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
            raise UserError(
                f"{name} vectors are rows of real numbers, not {vectors.ndim}-dimensional {vectors.dtype}"
            )
    if left.shape[1] != right.shape[1]:
        raise UserError(
            f"image vectors have width {left.shape[1]}, text vectors {right.shape[1]}",
            remedy="project both into the joint space first",
        )
    if rows is not None and rows < 1:
        raise UserError(f"rows is a number of images at a time, 1 or more, not {rows}")
    step = rows or max(1, PRODUCT // max(1, len(right)))
    columns = right.astype(np.float32, copy=False).T
    room = np.empty((min(step, len(left)), len(right)), dtype=np.float32)

    def read(start: int, stop: int) -> NDArray[Any]:
        with np.errstate(all="ignore"):  # what is not finite is named when the block is checked
            return np.matmul(left[start:stop].astype(np.float32, copy=False), columns, out=room[: stop - start])

    return ScoreBlocks(len(left), len(right), step, read)


def owners(text_image: ArrayLike, images: int, texts: int | None = None) -> NDArray[np.int64]:
    """The row of each text as whole numbers (T), or UserError where one is out of range or an image has no text.

    `texts`: the number of columns that it must fit, where there is a matrix.
    """
    owner = np.asarray(text_image)
    if owner.ndim != 1 or owner.size == 0 or owner.dtype.kind not in "iu":
        raise UserError(
            f"text_image is one whole number a text, not {owner.dtype} of shape {owner.shape}",
            remedy="give the row of each text's image, in the order of the columns",
        )
    if owner.min() < 0 or owner.max() >= images:
        raise UserError(f"text_image points at rows {owner.min()} to {owner.max()}, but there are {images} images")
    bare = np.flatnonzero(np.bincount(owner.astype(np.int64), minlength=images) == 0)
    if len(bare):
        raise UserError(
            f"{len(bare)} of {images} images have no text (first: row {bare[0]}), so no text is right for them",
            remedy="leave images without captions out of the gallery",
        )
    if texts is not None and texts != len(owner):
        raise UserError(
            f"the similarity matrix has {texts} columns, but text_image names the images of {len(owner)} texts",
            remedy="rows are images, columns are texts",
        )
    return owner.astype(np.int64)


def _finite(block: NDArray[Any], start: int) -> None:
    """UserError that names the first score which is not finite; `start`: the block's first row."""
    finite = np.isfinite(block)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise UserError(
            f"the score of image {start + row} and text {column} is {block[row, column]}, not a finite number",
            remedy="a comparison with NaN is never true, so ranks would look perfect; look at the vectors' norms",
        )
