"""Folds are closed galleries of one size, and their mean is the result."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.folds import averaged, folded, folds_of
from vlpbench.metrics.recall import recall


def gallery(images: int = 20, each: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    owner = np.repeat(np.arange(images), each)
    rng = np.random.default_rng(seed)
    similarity = rng.normal(size=(images, len(owner))) + (owner[None] == np.arange(images)[:, None])
    return similarity, owner


def by_hand(similarity: np.ndarray, owner: np.ndarray, folds: int) -> dict[str, float]:
    size = len(similarity) // folds
    found = []
    for start in range(0, len(similarity), size):
        mine = (owner >= start) & (owner < start + size)
        found.append(recall(similarity[start : start + size][:, mine], owner[mine] - start))
    return {key: float(np.mean([one[key] for one in found])) for key in found[0]}


@pytest.mark.parametrize("folds", [1, 2, 4, 5, 10])
def test_the_mean_of_closed_galleries(folds: int) -> None:
    similarity, owner = gallery()
    found = folded(similarity, owner, folds)
    assert found == pytest.approx(by_hand(similarity, owner, folds))
    assert (found["images"], found["texts"]) == (20 / folds, 60 / folds)
    assert found.keys() == recall(similarity, owner).keys()
    assert found["rsum"] == pytest.approx(sum(found[f"{way}@{k}"] for way in ("TR", "IR") for k in (1, 5, 10)))


def test_one_fold_is_the_whole_gallery() -> None:
    similarity, owner = gallery()
    assert folded(similarity, owner, 1) == recall(similarity, owner)


def test_the_order_of_the_columns_does_not_matter() -> None:
    similarity, owner = gallery()
    mixed = np.random.default_rng(1).permutation(60)
    assert folded(similarity[:, mixed], owner[mixed], 5) == pytest.approx(folded(similarity, owner, 5))
    same = np.arange(60) % 25
    assert folded(similarity[:, mixed], owner[mixed], 5, same[mixed]) == pytest.approx(
        folded(similarity, owner, 5, same)
    )


def test_a_text_that_reads_the_same_is_masked_within_its_fold_alone() -> None:
    similarity = np.zeros((4, 4))
    numbers = [5, 5, 5, 6]
    assert recall(similarity, range(4), numbers)["masked"] == 6
    assert folded(similarity, range(4), 2, numbers)["masked"] == 1  # two pairs in the first fold, none in the second


def test_tie_rules_reach_the_folds() -> None:
    _, owner = gallery()
    flat = np.zeros((20, 60))
    assert folded(flat, owner, 5, ties="optimistic")["rsum"] == 600
    assert folded(flat, owner, 5, ties="pessimistic")["TR@1"] == 0
    assert folded(flat, owner, 5)["IR@1"] == pytest.approx(25)


def test_a_view_where_columns_stand_together_and_a_part_where_they_do_not() -> None:
    similarity, owner = gallery()
    first = folds_of(owner, 20, 5)[0]
    assert np.shares_memory(first.part(similarity), similarity)
    assert list(first.owner) == list(np.repeat(np.arange(4), 3))
    apart = folds_of([0, 3, 1, 2], 4, 2)[1]
    assert list(apart.texts) == [1, 3] and list(apart.owner) == [1, 0]
    assert apart.part(np.arange(16).reshape(4, 4)).tolist() == [[9, 11], [13, 15]]


@pytest.mark.parametrize(
    ("images", "folds", "said"),
    [
        (20, 3, "ask for 2 folds of 10, or keep the first 18 images for 3 folds of 6"),
        (1001, 5, "ask for 7 folds of 143, or keep the first 1000 images for 5 folds of 200"),
        (3, 5, "ask for 3 folds of 1$"),
        (7, 3, "ask for 1 fold of 7, or keep the first 6"),
        (20, 0, "1 or more"),
    ],
)
def test_a_number_that_does_not_divide(images: int, folds: int, said: str) -> None:
    similarity, owner = gallery(images)
    with pytest.raises(UserError) as caught:
        folded(similarity, owner, folds)
    assert caught.match(said)


def test_shapes_that_do_not_fit() -> None:
    similarity, owner = gallery()
    with pytest.raises(UserError, match="1-dimensional"):
        folded(similarity[0], owner)
    with pytest.raises(UserError, match="59 columns"):
        folded(similarity[:, 1:], owner)
    with pytest.raises(UserError, match="each of 60 texts"):
        folded(similarity, owner, 5, [1, 2])
    with pytest.raises(UserError, match="no fold to average"):
        averaged([])
