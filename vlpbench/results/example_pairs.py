"""Two rows' scores of the same images side by side, as tests about new examples take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vlpbench.errors import UserError
from vlpbench.results.example_scores import OF_THE_SET, ImageScores, image_scores
from vlpbench.results.pairing import Place

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["ExamplePairs", "aligned"]

Sides = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""sums of the row (S, I), sums of the other row (S, I), counts (I)."""


class ExamplePairs:
    """Scores of images by row; each row is read once, however many it is held against."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._read: dict[tuple[Place, str], ImageScores | UserError] = {}

    def of(self, place: Place, row: str, other: str, seeds: tuple[int, ...]) -> Sides:
        """Both rows' scores at these S seeds, image by image; UserError where there are none that can be paired."""
        return aligned(self._scores(place, row), self._scores(place, other), seeds)

    def _scores(self, place: Place, row: str) -> ImageScores:
        if (place, row) not in self._read:
            grid, task, metric = place
            try:
                if metric.startswith(OF_THE_SET):
                    raise UserError(f"{metric} is no mean of scores of single examples")
                self._read[place, row] = image_scores(self._results, grid, row, task, metric)
            except UserError as error:
                self._read[place, row] = error
        found = self._read[place, row]
        if isinstance(found, UserError):
            raise found
        return found


def aligned(one: ImageScores, other: ImageScores, seeds: tuple[int, ...]) -> Sides:
    """Both at the same seeds and images; UserError where a seed is missing, images differ, or there is one."""
    for side in (one, other):
        lacking = [seed for seed in seeds if seed not in side.seeds]
        if lacking:
            raise UserError(f"there are no scores of single examples of seed {lacking[0]}")
    if one.images == other.images:
        order = np.arange(len(one.images))
    elif sorted(one.images) == sorted(other.images):
        at = {image: place for place, image in enumerate(other.images)}
        order = np.array([at[image] for image in one.images])
    else:
        raise UserError("the rows were scored on different images")
    if not np.array_equal(one.counts, other.counts[order]):
        raise UserError("the rows were scored on different examples of these images")
    if len(one.images) < 2:
        raise UserError("one image has no spread over images")
    mine = one.sums[[one.seeds.index(seed) for seed in seeds]]
    theirs = other.sums[[other.seeds.index(seed) for seed in seeds]][:, order]
    return mine, theirs, one.counts
