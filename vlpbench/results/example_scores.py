"""Scores of single examples: as a tidy frame, and of one row summed over the examples of each image.

Metrics that are the mean of scores of examples have them: VQA accuracy, recalls, CIDEr (of each image, with word
weights fixed by the whole set) and the like. BLEU and METEOR are of the whole set alone: UserError says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["ImageScores", "examples", "image_scores"]


@dataclass(frozen=True)
class ImageScores:
    """Scores of one row in one task and metric. Axes: S seeds, I images (what new examples would come with)."""

    seeds: tuple[int, ...]
    """S, ascending."""
    images: tuple[str, ...]
    """I, ids in the order of the set."""
    sums: NDArray[np.float64]
    """S, I: the scores of an image's examples, summed; the score of a seed is sums.sum() / counts.sum()."""
    counts: NDArray[np.float64]
    """I: how many examples each image has."""


def examples(results: Results, task: str, metric: str) -> pd.DataFrame:
    """grid, row, cell, seed, task, metric, example, image, score: one line an example of each finished cell."""
    raise NotImplementedError


def image_scores(results: Results, grid: str, row: str, task: str, metric: str) -> ImageScores:
    """What a row's finished cells scored on each image; UserError where a metric is no mean of scores of examples."""
    raise NotImplementedError
