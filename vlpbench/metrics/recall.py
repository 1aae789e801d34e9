"""Retrieval recall: how often the right text (TR) or image (IR) is among the first k, ties counted by expectation.

Several texts may belong to one image. TR (image to text) looks at the rank of an image's best text among the texts of
other images, so that right answers never compete with each other; IR (text to image) at the rank of the one right
image. R@k is the share of queries with a right answer among the first k (a hit rate), as in VSE++ (arXiv 1707.05612)
`i2t`, `t2i` and ALBEF's `itm_eval`, whose numbers these are where no scores tie. Where scores tie, the value is the
exact expectation over all orders of the tied items: a scorer that gives everything the same score is at chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError

__all__ = ["CUTOFFS", "Ranks", "chance", "ranks", "recall", "summary"]

CUTOFFS = (1, 5, 10)
"""The k of R@k."""
BLOCK = 1 << 22
"""Scores compared at a time: bounds the memory beside the matrix itself to some tens of MB."""


@dataclass(frozen=True)
class Ranks:
    """Where the first right answer of each query stands. Q queries."""

    better: NDArray[np.int64]
    """Q: wrong answers with a higher score than the best right one; the zero-based rank where nothing ties."""
    tied: NDArray[np.int64]
    """Q: wrong answers with the very score of the best right one."""
    right: NDArray[np.int64]
    """Q: right answers with that score, at least 1."""

    def hits(self, k: int) -> NDArray[np.float64]:
        """Q: chance (0 to 1) that a right answer is among the first k when tied items stand in random order.

        With m = k - better places left for `tied` wrong and `right` right items, all m are wrong with the chance
        C(tied, m) / C(tied + right, m).
        """
        places = k - self.better
        missed = np.ones(len(self.better))
        for taken in range(k):
            still = np.maximum(self.tied - taken, 0) / np.maximum(self.tied + self.right - taken, 1)
            missed = np.where(taken < places, missed * still, missed)
        return 1.0 - missed

    def expected(self) -> NDArray[np.float64]:
        """Q: expected zero-based rank: `tied` wrong items spread evenly over the gaps beside `right` right ones."""
        return np.asarray(self.better + self.tied / (self.right + 1.0))

    def median(self) -> float:
        """Median one-based rank, floored before the one is added as in VSE++."""
        return float(np.floor(np.median(self.expected())) + 1)


def ranks(similarity: ArrayLike, text_image: ArrayLike) -> tuple[Ranks, Ranks]:
    """Ranks of all images as queries for texts (TR, in row order), and of all texts for images (IR, in column order).

    `similarity`: I x T, higher is nearer, finite; best in float32, since half precision makes ties. `text_image`: T,
    the row that each text belongs to; every image needs a text. UserError for shapes, rows or scores that are not so.
    """
    scores, owner = _checked(similarity, text_image)
    images, texts = scores.shape
    own = scores[owner, np.arange(texts)]
    best = np.full(images, -np.inf, dtype=scores.dtype)
    np.maximum.at(best, owner, own)
    image_right = np.bincount(owner[own == best[owner]], minlength=images)

    image_better = np.zeros(images, dtype=np.int64)
    image_tied = -image_right
    text_better = np.zeros(texts, dtype=np.int64)
    text_tied = np.full(texts, -1, dtype=np.int64)
    rows = max(1, BLOCK // texts)
    for start in range(0, images, rows):
        block = scores[start : start + rows]
        here = slice(start, start + len(block))
        image_better[here] = np.count_nonzero(block > best[here, None], axis=1)
        image_tied[here] += np.count_nonzero(block == best[here, None], axis=1)
        text_better += np.count_nonzero(block > own, axis=0)
        text_tied += np.count_nonzero(block == own, axis=0)
    return (
        Ranks(image_better, image_tied, image_right),
        Ranks(text_better, text_tied, np.ones(texts, dtype=np.int64)),
    )


def recall(similarity: ArrayLike, text_image: ArrayLike) -> dict[str, float]:
    """R@1, 5, 10 of both directions and what belongs beside them; see `ranks` for the arguments and `summary`."""
    return summary(*ranks(similarity, text_image))


def summary(image_queries: Ranks, text_queries: Ranks) -> dict[str, float]:
    """`TR@k`, `IR@k` in percent; `rsum`, their sum (0 to 600); and counts that explain them.

    `TR_median`, `IR_median` are one-based ranks; `TR_tied`, `IR_tied` count the queries whose rank hangs on the order
    of tied scores; `images`, `texts` are the sizes of the galleries. The two directions may come from two matrices, as
    they do after re-ranking.
    """
    found = _recalls(image_queries, text_queries)
    found["TR_median"], found["IR_median"] = image_queries.median(), text_queries.median()
    found["TR_tied"] = float(np.count_nonzero(image_queries.tied))
    found["IR_tied"] = float(np.count_nonzero(text_queries.tied))
    found["images"], found["texts"] = float(len(image_queries.better)), float(len(text_queries.better))
    return found


def chance(images: int, text_image: ArrayLike) -> dict[str, float]:
    """Expected `TR@k`, `IR@k`, `rsum` (as in `summary`) of a random order: the floor that a table prints.

    `images`: number of rows; `text_image`: T, the row that each text belongs to.
    """
    owner = _owners(text_image, images)
    right = np.bincount(owner, minlength=images)
    nobody = np.zeros(images, dtype=np.int64)
    text_one = np.ones(len(owner), dtype=np.int64)
    return _recalls(
        Ranks(nobody, len(owner) - right, right),
        Ranks(np.zeros_like(text_one), (images - 1) * text_one, text_one),
    )


def _recalls(image_queries: Ranks, text_queries: Ranks) -> dict[str, float]:
    """R@k of both directions in percent, and their sum."""
    found = {
        f"{direction}@{k}": 100.0 * float(found_ranks.hits(k).mean())
        for direction, found_ranks in (("TR", image_queries), ("IR", text_queries))
        for k in CUTOFFS
    }
    found["rsum"] = sum(found.values())
    return found


def _checked(similarity: ArrayLike, text_image: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The scores as a finite I x T array of real numbers and the row of each column, or UserError."""
    scores = np.asarray(similarity)
    if scores.ndim != 2 or scores.dtype.kind not in "fiu":
        raise UserError(
            f"a similarity matrix is images x texts of real numbers, not {scores.ndim}-dimensional {scores.dtype}"
        )
    owner = _owners(text_image, scores.shape[0])
    if scores.shape[1] != len(owner):
        raise UserError(
            f"the similarity matrix has {scores.shape[1]} columns, but text_image names the images of {len(owner)} "
            "texts",
            remedy="rows are images, columns are texts",
        )
    if scores.dtype.kind != "f":
        return scores.astype(np.float64), owner
    rows = max(1, BLOCK // len(owner))
    for start in range(0, len(scores), rows):
        wrong = ~np.isfinite(scores[start : start + rows])
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise UserError(
                f"the score of image {start + row} and text {column} is {scores[start + row, column]}, not a finite "
                "number",
                remedy="a comparison with NaN is never true, so ranks would look perfect; look at the vectors' norms",
            )
    return scores, owner


def _owners(text_image: ArrayLike, images: int) -> NDArray[np.int64]:
    """The row of each text as whole numbers, or UserError where one is out of range or an image has no text."""
    owner = np.asarray(text_image)
    if owner.ndim != 1 or owner.size == 0 or owner.dtype.kind not in "iu":
        raise UserError(
            f"text_image is one whole number a text, not {owner.dtype} of shape {owner.shape}",
            remedy="give the row of each text's image, in the order of the columns",
        )
    if owner.min() < 0 or owner.max() >= images:
        raise UserError(f"text_image points at rows {owner.min()} to {owner.max()}, but there are {images} images")
    bare = np.flatnonzero(np.bincount(owner, minlength=images) == 0)
    if len(bare):
        raise UserError(
            f"{len(bare)} of {images} images have no text (first: row {bare[0]}), so no text is right for them",
            remedy="leave images without captions out of the gallery",
        )
    return owner.astype(np.int64)
