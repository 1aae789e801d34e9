"""Two rows' scores of the same images side by side."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results.example_pairs import aligned
from vlpbench.results.example_scores import ImageScores


def scores(seeds: tuple[int, ...], images: str, counts: tuple[float, ...] = (1, 2, 1)) -> ImageScores:
    """Score = 10 seed + place of the image in the alphabet."""
    sums = np.array([[10.0 * seed + "abcd".index(image) for image in images] for seed in seeds])
    return ImageScores(seeds, tuple(images), sums, np.array(counts, dtype=float))


def test_one_image_has_no_spread():
    with pytest.raises(UserError, match="one image has no spread"):
        aligned(scores((0,), "a", (1,)), scores((0,), "a", (1,)), (0,))


def test_seeds_and_images_are_put_in_one_order():
    mine, theirs, counts = aligned(scores((0, 1, 2), "abc"), scores((2, 3, 0), "cba"), (0, 2))
    assert mine.tolist() == theirs.tolist() == [[0, 1, 2], [20, 21, 22]] and counts.tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("other", "seeds", "words"),
    [
        (scores((0, 1), "abd"), (0, 1), "different images"),
        (scores((0, 1), "abc", (1, 1, 1)), (0, 1), "different examples"),
        (scores((0,), "abc"), (0, 1), "of seed 1"),
    ],
)
def test_what_cannot_be_paired(other: ImageScores, seeds: tuple[int, ...], words: str):
    with pytest.raises(UserError, match=words):
        aligned(scores((0, 1), "abc"), other, seeds)
