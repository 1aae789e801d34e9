"""Variance components of two crossed sources."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results.statistics import components


def test_by_hand():
    found = components([[1.0, 3.0], [2.0, 8.0]], np.zeros((2, 2)), [1, 1])
    # mean squares: seeds 9, images 16, interaction 4
    assert (found.estimate, found.seeds, found.images) == (3.5, 2, 2)
    assert (found.seed, found.image, found.interaction) == pytest.approx((2.5, 6.0, 4.0))
    assert found.variance(2, 2) == pytest.approx(2.5 / 2 + 6 / 2 + 4 / 4)


def test_what_was_put_in_comes_out_on_average():
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        d = rng.normal(0, 1, (4, 1)) + rng.normal(0, 2, (1, 60)) + rng.normal(0, 3, (4, 60))
        found.append(components(5 + d, np.zeros_like(d), np.ones(60)))
    means = np.mean([(one.estimate, one.seed, one.image, one.interaction) for one in found], axis=0)
    assert means == pytest.approx([5, 1, 4, 9], rel=0.12)


def test_the_score_is_a_ratio_of_sums():
    sums, counts = np.array([[2.0, 6.0, 1.0], [4.0, 6.0, 2.0]]), np.array([2.0, 6.0, 1.0])
    found = components(sums, np.zeros((2, 3)), counts)
    assert found.estimate == pytest.approx(np.mean([9 / 9, 12 / 9]))
    doubled = components(sums * 2, np.zeros((2, 3)), counts * 2)
    assert (doubled.seed, doubled.image, doubled.interaction) == pytest.approx(
        (found.seed, found.image, found.interaction)
    )


def test_an_image_that_only_has_more_examples_is_no_spread():
    counts = np.array([1.0, 5.0, 3.0])
    found = components(np.stack([counts * 0.5, counts * 0.7]), np.zeros((2, 3)), counts)
    assert found.image == pytest.approx(0.0, abs=0.02) and found.seed == pytest.approx(0.02, abs=0.01)


def test_one_seed_leaves_seed_and_interaction_unknown():
    found = components([[1.0, 3.0, 5.0]], [[0.0, 0.0, 0.0]], [1, 1, 1])
    assert math.isnan(found.seed) and found.interaction == 0 and found.image == pytest.approx(4.0)
    assert math.isnan(found.variance(3, 3))


@pytest.mark.parametrize(
    ("a", "b", "counts", "said"),
    [
        ([[1.0, 2.0]], [[1.0, 2.0, 3.0]], [1, 1], "shapes"),
        ([1.0, 2.0], [1.0, 2.0], [1, 1], "shapes"),
        (np.zeros((0, 2)), np.zeros((0, 2)), [1, 1], "shapes"),
        ([[1.0, 2.0]], [[1.0, 2.0]], [1, 1, 1], "shapes"),
        ([[1.0, math.nan]], [[1.0, 2.0]], [1, 1], "1 of 2 sums of the first row are NaN"),
        ([[1.0, 2.0]], [[1.0, math.inf]], [1, 1], "second row"),
        ([[1.0, 2.0]], [[1.0, 2.0]], [1, 0], "1 images have no examples"),
        ([[1.0]], [[2.0]], [1], "at least 2"),
    ],
)
def test_bad_input(a, b, counts, said):
    with pytest.raises(UserError, match=said):
        components(a, b, counts)
