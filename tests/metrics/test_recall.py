"""Recall against its definition by brute force, in every order of the ties; and the names of the two directions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import vlpbench.metrics.score_blocks as module
from vlpbench.errors import UserError
from vlpbench.metrics.recall import chance, ranks, recall, summary

FIVE = np.repeat(np.arange(4), 5)


def first_right(scores: list[float], right: list[bool], order: tuple[int, ...]) -> int:
    """Wrong answers before the first right one, when ties stand in the given order."""
    ranked = sorted(range(len(scores)), key=lambda i: (-scores[i], order.index(i)))
    return [right[item] for item in ranked].index(True)


def in_every_order(similarity: np.ndarray, owner: np.ndarray, k: int) -> tuple[float, float]:
    """R@k of both directions, in percent, averaged over all orders of the items."""
    images, texts = similarity.shape
    tr = [
        np.mean([first_right(list(similarity[i]), list(owner == i), order) < k for i in range(images)])
        for order in itertools.permutations(range(texts))
    ]
    own = [list(np.arange(images) == image) for image in owner]
    ir = [
        np.mean([first_right(list(similarity[:, t]), own[t], order) < k for t in range(texts)])
        for order in itertools.permutations(range(images))
    ]
    return 100 * float(np.mean(tr)), 100 * float(np.mean(ir))


@pytest.mark.parametrize("seed", range(4))
def test_ties_by_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 3, size=(4, 6)).astype(np.float32)
    owner = np.concatenate([np.arange(4), rng.integers(0, 4, size=2)])
    image_queries, text_queries = ranks(similarity, owner)
    for k in (1, 2, 3):
        tr, ir = in_every_order(similarity, owner, k)
        assert 100 * image_queries.hits(k).mean() == pytest.approx(tr)
        assert 100 * text_queries.hits(k).mean() == pytest.approx(ir)
    orders = list(itertools.permutations(range(6)))
    for image in range(4):
        slow = np.mean([first_right(list(similarity[image]), list(owner == image), order) for order in orders])
        assert image_queries.expected()[image] == pytest.approx(slow)


@pytest.mark.parametrize("block", [1, 40, 1 << 22])
def test_sorting_gives_the_same_where_nothing_ties(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED", block)
    rng = np.random.default_rng(0)
    owner = np.concatenate([np.arange(30), rng.integers(0, 30, size=70)])
    similarity = rng.normal(size=(30, 100)) + 1.5 * (owner[None] == np.arange(30)[:, None])
    tr = [min(np.flatnonzero(owner[np.argsort(-similarity[i])] == i)) for i in range(30)]
    # Other right texts before the best one: there are none, so this is the rank among the wrong ones too.
    ir = [int(np.flatnonzero(np.argsort(-similarity[:, t]) == owner[t])[0]) for t in range(100)]
    found = recall(similarity, owner)
    for k in (1, 5, 10):
        assert found[f"TR@{k}"] == pytest.approx(100 * np.mean(np.array(tr) < k))
        assert found[f"IR@{k}"] == pytest.approx(100 * np.mean(np.array(ir) < k))
    assert found["rsum"] == pytest.approx(sum(found[f"{d}@{k}"] for d in ("TR", "IR") for k in (1, 5, 10)))
    assert found["TR_median"] == np.floor(np.median(tr)) + 1 and found["IR_median"] == np.floor(np.median(ir)) + 1
    assert found["TR_tied"] == found["IR_tied"] == 0
    assert (found["images"], found["texts"]) == (30, 100)


def test_a_perfect_and_a_reversed_scorer_with_five_texts_an_image() -> None:
    right = (FIVE[None] == np.arange(4)[:, None]).astype(float)
    perfect = recall(right, FIVE)
    assert perfect["rsum"] == 600 and perfect["TR_median"] == perfect["IR_median"] == 1
    reversed_ = recall(-right, FIVE)
    assert reversed_["TR@10"] == reversed_["IR@1"] == 0
    assert reversed_["TR_median"] == 16 and reversed_["IR_median"] == 4


def test_the_best_of_five_texts_counts_and_right_ones_do_not_compete() -> None:
    # One right text of image 0 comes first, the other four last: still rank 1.
    similarity = np.zeros((4, 20))
    similarity[np.arange(4), np.arange(4) * 5] = 1
    similarity[:, 1:5] = -1
    found = recall(similarity, FIVE)
    assert found["TR@1"] == 100
    assert found["IR@1"] < 100


def test_directions_have_their_right_names() -> None:
    # Image 0 draws every text: texts find it, or do not, while every image finds its own text first.
    similarity = np.array([[3.0, 2.0, 2.5], [0.0, 1.0, 0.5], [0.0, 0.1, 0.9]])
    found = recall(similarity, np.arange(3))
    assert found["TR@1"] == 100
    assert found["IR@1"] == pytest.approx(100 / 3)


@pytest.mark.parametrize("owner", [np.arange(20), FIVE, np.array([0, 0, 0, 1, 2, 2, 3])])
def test_a_constant_scorer_is_at_chance(owner: np.ndarray) -> None:
    images = int(owner.max()) + 1
    found, floor = recall(np.full((images, len(owner)), 0.5, dtype=np.float32), owner), chance(images, owner)
    assert {name: found[name] for name in floor} == pytest.approx(floor)
    assert found["TR_tied"] == images and found["IR_tied"] == len(owner)


def test_chance_is_the_mean_over_random_scores() -> None:
    rng = np.random.default_rng(3)
    drawn = [recall(rng.normal(size=(4, 20)), FIVE) for _ in range(1000)]
    floor = chance(4, FIVE)
    assert floor["IR@1"] == pytest.approx(25) and floor["IR@5"] == 100
    for name, value in floor.items():
        assert np.mean([row[name] for row in drawn]) == pytest.approx(value, abs=6 if name == "rsum" else 3)


def test_half_precision_makes_ties_that_are_counted() -> None:
    rng = np.random.default_rng(0)
    exact = rng.normal(size=(50, 250)).astype(np.float32)
    owner = np.repeat(np.arange(50), 5)
    coarse = recall(np.round(exact, 1), owner)
    assert recall(exact, owner)["IR_tied"] == 0 and coarse["IR_tied"] > 100
    assert abs(coarse["rsum"] - recall(exact, owner)["rsum"]) < 20


def test_two_matrices_make_one_summary() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 4, 20))
    mixed = summary(ranks(one, FIVE)[0], ranks(other, FIVE)[1])
    assert mixed["TR@1"] == recall(one, FIVE)["TR@1"] and mixed["IR@5"] == recall(other, FIVE)["IR@5"]


def test_whole_numbers_are_scores_too() -> None:
    assert recall(np.eye(3, dtype=np.int64), [0, 1, 2])["rsum"] == 600


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite(bad: float) -> None:
    similarity = np.zeros((4, 20))
    similarity[2, 7] = bad
    with pytest.raises(UserError, match="image 2 and text 7"):
        recall(similarity, FIVE)


@pytest.mark.parametrize(
    ("similarity", "owner", "said"),
    [
        (np.zeros(4), FIVE, "1-dimensional"),
        (np.zeros((4, 20), dtype=complex), FIVE, "complex"),
        (np.zeros((20, 4)), FIVE, "no text|columns"),
        (np.zeros((4, 19)), FIVE, "19 columns"),
        (np.zeros((4, 20)), FIVE + 1, "rows 1 to 4"),
        (np.zeros((4, 20)), FIVE - 1, "rows -1"),
        (np.zeros((5, 20)), FIVE, "1 of 5 images have no text"),
        (np.zeros((4, 20)), FIVE.astype(float), "whole number"),
        (np.zeros((4, 0)), [], "whole number"),
    ],
)
def test_shapes_that_do_not_fit(similarity: np.ndarray, owner: np.ndarray, said: str) -> None:
    with pytest.raises(UserError, match=said):
        recall(similarity, owner)
    if similarity.shape == (4, 20) and similarity.dtype == float:
        with pytest.raises(UserError, match=said):
            chance(4, owner)
