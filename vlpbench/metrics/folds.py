"""The folded protocol ("COCO 1K"): the mean over consecutive folds of the images, each fold a closed gallery.

VSE++ (arXiv 1707.05612) `evalrank` with `fold5`: 5,000 images make five galleries of 1,000, each image competes with
its own fold alone, and each number is the mean of the folds' numbers, medians included. The first fold by itself is
another, noisier number. The texts of a fold are those of its images, in whatever order the columns stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError
from vlpbench.metrics.recall import Ties, recall
from vlpbench.metrics.score_blocks import owners

__all__ = ["Fold", "averaged", "folded", "folds_of"]


@dataclass(frozen=True)
class Fold:
    """One closed gallery."""

    start: int
    """Its first image."""
    stop: int
    """The image after its last."""
    texts: NDArray[np.int64]
    """Columns of the texts of its images, in column order."""
    owner: NDArray[np.int64]
    """The row of each of these texts within the fold."""

    def part(self, matrix: ArrayLike) -> NDArray[Any]:
        """The fold's own rows and columns of an I x T matrix: a view where its columns stand side by side."""
        rows = np.asarray(matrix)[self.start : self.stop]
        first, last = int(self.texts[0]), int(self.texts[-1])
        if last - first + 1 == len(self.texts):
            return rows[:, first : last + 1]
        return rows[:, self.texts]


def folds_of(text_image: ArrayLike, images: int, folds: int = 5) -> list[Fold]:
    """The images cut into `folds` consecutive galleries of one size; UserError where they cannot be."""
    owner = owners(text_image, images)
    if folds < 1:
        raise UserError(f"folds is a number of galleries, 1 or more, not {folds}")
    if images % folds:
        raise UserError(
            f"{images} images do not make {folds} folds of one size",
            remedy=_nearest(images, folds),
        )
    size = images // folds
    found = []
    for start in range(0, images, size):
        texts = np.flatnonzero((owner >= start) & (owner < start + size))
        found.append(Fold(start, start + size, texts, owner[texts] - start))
    return found


def folded(
    similarity: ArrayLike,
    text_image: ArrayLike,
    folds: int = 5,
    same_text: ArrayLike | None = None,
    ties: Ties = "expected",
) -> dict[str, float]:
    """The summary of each fold, averaged; arguments and keys as in `recall`.

    All numbers are means over folds: `images` is the size of one gallery, `texts` the mean number of texts in one, and
    `TR_tied`, `IR_tied`, `masked` are counts a fold.
    """
    scores = np.asarray(similarity)
    if scores.ndim != 2:
        raise UserError(f"a similarity matrix is images x texts, not {scores.ndim}-dimensional")
    owner = owners(text_image, *scores.shape)
    same = None if same_text is None else np.asarray(same_text)
    if same is not None and same.shape != owner.shape:
        raise UserError(f"same_text is one whole number for each of {len(owner)} texts, not of shape {same.shape}")
    return averaged(
        [
            recall(fold.part(scores), fold.owner, None if same is None else same[fold.texts], ties)
            for fold in folds_of(owner, len(scores), folds)
        ]
    )


def averaged(summaries: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of summaries, key by key: of folds that were scored by another road, as after re-ranking."""
    if not summaries:
        raise UserError("there is no fold to average")
    return {key: float(np.mean([one[key] for one in summaries])) for key in summaries[0]}


def _nearest(images: int, folds: int) -> str:
    """What to ask for instead: the nearest number of folds that divides, or the nearest smaller gallery."""
    fits = min((n for n in range(1, images + 1) if images % n == 0), key=lambda n: (abs(n - folds), n))
    kept = images - images % folds
    cut = f", or keep the first {kept} images for {folds} folds of {kept // folds}" if kept else ""
    return f"ask for {fits} fold{'s' * (fits > 1)} of {images // fits}{cut}"
