"""BLEU by hand: clipping, the closest length, brevity, the two constants, and the set against its images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vlpbench.metrics.bleu import bleu
from vlpbench.metrics.grams import count_grams


def of_one(said: str, *given: str) -> list[float]:
    whole, each = bleu(count_grams([said], [given]))
    assert each.shape == (4, 1) and whole == pytest.approx(each[:, 0], abs=1e-15), "a set of one is its image"
    return [float(score) for score in whole]


def test_counts_are_clipped_at_the_reference_with_the_most() -> None:
    # Papineni's own example: "the" 7 times, at most 2 of them in one reference.
    scores = of_one("the the the the the the the", "the cat is on the mat", "there is a cat on the mat")
    assert scores[0] == pytest.approx(2 / 7)


def test_clipping_takes_the_most_of_one_reference_not_the_sum() -> None:
    assert of_one("a a a a", "a b c d", "a e f g")[0] == pytest.approx(1 / 4)


def test_the_closest_reference_gives_the_length_and_the_shorter_of_two_as_close() -> None:
    assert of_one("a b c d", "a b c d e f", "a b")[0] == pytest.approx(1), "2 and 6 words are as close: no brevity"
    assert of_one("a b c d", "a b c d e")[0] == pytest.approx(math.exp(1 - 5 / 4))
    assert of_one("a b c d", "a b c d e", "a")[0] == pytest.approx(math.exp(1 - 5 / 4)), "not the shortest"


def test_geometric_mean_of_the_precisions() -> None:
    scores = of_one("a b c x", "a b c d")
    precisions = [3 / 4, 2 / 3, 1 / 2]
    for n in range(1, 4):
        assert scores[n - 1] == pytest.approx(math.prod(precisions[:n]) ** (1 / n))
    assert scores[3] == pytest.approx((math.prod(precisions) * 1e-15) ** 0.25, rel=1e-6), "no run of four: tiny, not 0"


def test_too_short_for_a_run_is_tiny_over_small() -> None:
    assert of_one("a", "a")[1] == pytest.approx(math.sqrt(1e-15 / 1e-9), rel=1e-6)


@pytest.mark.parametrize(("said", "given"), [("", "a b"), ("", ""), ("a", "")])
def test_nothing_said_or_nothing_given_scores_nothing(said: str, given: str) -> None:
    assert of_one(said, given) == pytest.approx([0] * 4, abs=1e-3)


def test_the_set_is_the_sum_of_its_images_and_not_their_mean() -> None:
    whole, each = bleu(count_grams(["a b c d e f", "x"], [["a b c d e f"], ["y"]]))
    assert whole[0] == pytest.approx(6 / 7) and each[0] == pytest.approx([1, 0], abs=1e-9)
    # 11 words said, references of 12 in all: the brevity of the set is that of the sums.
    whole, _ = bleu(count_grams(["a b c d e f", "g h i j k"], [["a b c d"], ["g h i j k l m n"]]))
    assert whole[0] == pytest.approx(9 / 11 * math.exp(1 - 12 / 11))


def test_images_do_not_touch_each_other() -> None:
    said, given = ["a b", "c d e", "f"], [["a b"], ["x", "c d f"], ["f f"]]
    _, each = bleu(count_grams(said, given))
    for at in range(3):
        assert each[:, at] == pytest.approx(of_one(said[at], *given[at]))
    assert np.isfinite(each).all()
