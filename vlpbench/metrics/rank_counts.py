"""How many scores are above, and how many equal to, that of the right answer: rows and columns of a block in one pass.

A row of scores is compared while it lies in the processor's cache: with the best right score of its image (TR), and
element by element with the right score of each text (IR). Counts of columns are gathered in bytes and poured into wide
numbers before a byte can run over. On 5,000 x 25,000 scores one thread is done in a fraction of the time that a partial
sort of rows and columns takes (`benchmarks/retrieval_ranks.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.metrics.same_text import SameText
from vlpbench.metrics.score_blocks import ScoreBlocks

__all__ = ["Counts", "count"]

FULL = 255
"""Rows that a byte can count."""


@dataclass(frozen=True)
class Counts:
    """What the ranks of both directions are made of. I images, T texts; whole numbers."""

    image_better: NDArray[np.int64]
    """I: wrong texts with a higher score than the image's best right one."""
    image_tied: NDArray[np.int64]
    """I: wrong texts with that very score."""
    image_right: NDArray[np.int64]
    """I: right texts with that very score."""
    text_better: NDArray[np.int64]
    """T: wrong images with a higher score than the text's own."""
    text_tied: NDArray[np.int64]
    """T: wrong images with that very score."""


class _Columns:
    """Counts flags of columns, row after row."""

    def __init__(self, texts: int) -> None:
        self.total = np.zeros(texts, dtype=np.int64)
        self.bytes = np.zeros(texts, dtype=np.uint8)
        self.rows = 0

    def add(self, flags: NDArray[np.uint8]) -> None:
        """One row of T zeros and ones."""
        if self.rows == FULL:
            self.pour()
        np.add(self.bytes, flags, out=self.bytes)
        self.rows += 1

    def pour(self) -> NDArray[np.int64]:
        """The counts so far."""
        self.total += self.bytes
        self.bytes[:] = 0
        self.rows = 0
        return self.total


def count(scores: ScoreBlocks, owner: NDArray[np.int64], same: SameText | None) -> Counts:
    """Counts of all queries; `owner`: T, the row of each text, every row named; `same`: the pairs to leave out."""
    images, texts = scores.images, scores.texts
    own = scores.own(owner)
    each = np.bincount(owner, minlength=images)
    best = np.maximum.reduceat(own[np.argsort(owner, kind="stable")], np.cumsum(each) - each)
    right = np.bincount(owner[own == best[owner]], minlength=images)

    row_above, row_level = np.zeros(images, dtype=np.int64), np.zeros(images, dtype=np.int64)
    above, level = _Columns(texts), _Columns(texts)
    flags = np.empty(texts, dtype=np.bool_)
    ones = flags.view(np.uint8)
    for start, block in scores:
        for image, row in enumerate(block, start):
            row_above[image] = np.count_nonzero(np.greater(row, best[image], out=flags))
            row_level[image] = np.count_nonzero(np.greater_equal(row, best[image], out=flags))
            np.greater(row, own, out=flags)
            above.add(ones)
            np.greater_equal(row, own, out=flags)
            level.add(ones)
            if same is not None and len(alike := same.texts(image)):
                _take_back(row, alike, image, best, own, (row_above, row_level, above.total, level.total))
    text_above, text_level = above.pour(), level.pour()
    # An item that is not worse is better or level; the right ones are level with themselves.
    return Counts(row_above, row_level - row_above - right, right, text_above, text_level - text_above - 1)


def _take_back(
    row: NDArray[Any],
    alike: NDArray[np.int64],
    image: int,
    best: NDArray[Any],
    own: NDArray[Any],
    totals: tuple[NDArray[np.int64], ...],
) -> None:
    """Takes the masked texts (`alike`, each once) of one row out of the four counts."""
    row_above, row_level, above, level = totals
    masked = row[alike]
    row_above[image] -= np.count_nonzero(masked > best[image])
    row_level[image] -= np.count_nonzero(masked >= best[image])
    above[alike] -= masked > own[alike]
    level[alike] -= masked >= own[alike]
