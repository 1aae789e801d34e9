"""Re-ranking against one full order a query, sorted item by item."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.recall import Ranks, ranks, recall, summary
from vlpbench.metrics.shortlist import (
    Shortlist,
    k_note,
    reranked,
    reranked_matrix,
    shortlist,
    shortlist_of_vectors,
    statement,
)


def gallery(seed: int, levels: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vector scores, matching scores (both with ties), images of texts in mixed order, numbers of strings."""
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.concatenate([np.arange(8), rng.integers(0, 8, 14)]))
    vector, match = rng.integers(0, levels, (2, 8, 22)).astype(np.float32)
    return vector, match, owner, rng.integers(0, 15, 22)


def slow(vector: np.ndarray, final: np.ndarray, right: np.ndarray, masked: np.ndarray, k: int) -> list[tuple]:
    """Better, tied and right of each row's first right item; a key of two parts puts listed items above others."""
    found = []
    for row in range(len(vector)):
        listed = np.argsort(-vector[row], kind="stable")[:k]
        keys = [(1, final[row, item]) if item in listed else (0, vector[row, item]) for item in range(len(vector[row]))]
        best = max(key for key, good in zip(keys, right[row], strict=True) if good)
        wrong = [key for key, good, out in zip(keys, right[row], masked[row], strict=True) if not good and not out]
        mine = [key for key, good in zip(keys, right[row], strict=True) if good]
        found.append((sum(key > best for key in wrong), wrong.count(best), mine.count(best)))
    return found


def rows(found: Ranks) -> list[tuple]:
    return list(zip(found.better, found.tied, found.right, strict=True))


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("rule", ["match", "match + vector"])
@pytest.mark.parametrize("k", [1, 2, 5, 8, 15, 22, 50])
@pytest.mark.parametrize("seed", range(3))
def test_one_full_order_a_query(seed: int, k: int, rule: str, masks: bool) -> None:
    vector, match, owner, numbers = gallery(seed)
    final = match + vector if rule == "match + vector" else match
    right = owner[None] == np.arange(8)[:, None]
    strings = [set(numbers[owner == image]) for image in range(8)]
    alike = np.array([[masks and number in strings[image] for number in numbers] for image in range(8)]) & ~right
    found = reranked_matrix(vector, match, owner, k, rule, numbers if masks else None)  # type: ignore[arg-type]
    assert rows(found[0]) == slow(vector, final, right, alike, k)
    assert rows(found[1]) == slow(vector.T, final.T, right.T, alike.T, k)
    assert summary(*found)["masked"] == alike.sum()


@pytest.mark.parametrize("rule", ["match", "match + vector"])
def test_a_list_of_the_whole_gallery_is_the_full_matrix(rule: str) -> None:
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(12), 5)
    vector, match = rng.standard_normal((2, 12, 60), dtype=np.float32)
    final = match.astype(float) + vector if rule == "match + vector" else match
    found = summary(*reranked_matrix(vector, match, owner, 60, rule))  # type: ignore[arg-type]
    assert found == recall(final, owner)
    assert found == summary(*reranked_matrix(vector, match, owner, 10**9, rule))  # type: ignore[arg-type]


def test_matching_scores_outside_the_lists_are_never_looked_at() -> None:
    vector, match, owner, _ = gallery(4, 10**6)
    listed = shortlist(vector, 3)
    holes = np.full_like(match, np.nan)
    images, texts = np.arange(8)[:, None], np.arange(22)[:, None]
    holes[images, listed.texts_of_image] = match[images, listed.texts_of_image]
    holes[listed.images_of_text, texts] = match[listed.images_of_text, texts]
    whole, punched = (reranked_matrix(vector, one, owner, 3, "match") for one in (match, holes))
    assert [rows(one) for one in whole] == [rows(one) for one in punched]
    holes[0, listed.texts_of_image[0, 1]] = np.inf
    with pytest.raises(UserError, match=f"image 0 and text {listed.texts_of_image[0, 1]} is inf"):
        reranked_matrix(vector, holes, owner, 3, "match")


def test_a_text_list_that_is_not_finite_names_its_pair() -> None:
    vector, match, owner, _ = gallery(5, 10**6)
    listed = shortlist(vector, 1)
    text = next(t for t in range(22) if t not in listed.texts_of_image)  # only the text's own list holds the pair
    match[listed.images_of_text[text, 0], text] = np.nan
    with pytest.raises(UserError, match=f"image {listed.images_of_text[text, 0]} and text {text} is nan"):
        reranked_matrix(vector, match, owner, 1, "match")


def test_each_direction_uses_its_own_list_alone() -> None:
    # Text 0 lists its own image 0, and the pair matches best of all; image 0 lists text 2 alone, so TR must not see it.
    vector = np.array([[1.0, 0.0, 3.0], [0.5, 5.0, 0.0]])
    match = np.array([[9.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    listed = shortlist(vector, 1)
    assert listed.texts_of_image.tolist() == [[2], [1]] and listed.images_of_text.tolist() == [[0], [1], [0]]
    by_image, by_text = reranked_matrix(vector, match, [0, 0, 1], 1, "match")
    assert rows(by_image) == [(1, 0, 1), (2, 0, 1)]
    assert rows(by_text) == [(0, 0, 1), (1, 0, 1), (1, 0, 1)]
    low = reranked(vector, [0, 0, 1], listed, [[-7.0], [-8.0]], [[-9.0], [1.0], [0.0]])
    assert [rows(one) for one in low] == [rows(by_image), rows(by_text)]  # low, but above all that is not listed


def test_the_lists_need_not_come_from_this_matrix() -> None:
    vector = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    listed = Shortlist(np.array([[2], [0]]), np.array([[0], [1], [0]]))
    by_image, by_text = reranked(vector, [0, 0, 1], listed, [[0.0], [0.0]], [[0.0], [0.0], [0.0]])
    assert rows(by_image) == [(1, 0, 1), (1, 0, 1)]
    assert rows(by_text) == [(0, 0, 1), (1, 0, 1), (1, 0, 1)]


def test_lists_from_vectors_are_those_of_the_matrix() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.integers(-3, 4, (9, 6)), rng.integers(-3, 4, (20, 6))
    found, wanted = shortlist_of_vectors(left, right, 4, rows=2), shortlist(left @ right.T, 4)
    assert np.array_equal(found.texts_of_image, wanted.texts_of_image)
    assert np.array_equal(found.images_of_text, wanted.images_of_text)
    assert shortlist(left @ right.T, 15).images_of_text.shape == (20, 9)


def test_a_constant_match_leaves_the_list_to_chance_and_the_rest_in_order() -> None:
    vector = np.array([[5.0, 4.0, 3.0, 2.0]] * 4)
    by_image, _ = reranked_matrix(vector, np.zeros((4, 4)), range(4), 2, "match")
    assert rows(by_image) == [(0, 1, 1), (0, 1, 1), (2, 0, 1), (3, 0, 1)]


def test_a_note_for_lists_shorter_than_ten() -> None:
    assert k_note(10) is None and k_note(256) is None
    assert "only 4 items" in str(k_note(4)) and "R@5, R@10" in str(k_note(4))
    assert "R@5," not in str(k_note(5))


VECTOR = np.arange(12.0).reshape(3, 4)
LISTED = Shortlist(np.array([[3, 2]] * 3), np.array([[2, 1]] * 4))


@pytest.mark.parametrize(
    ("listed", "image_scores", "said"),
    [
        (LISTED, np.zeros((3, 3)), "final scores of the images are 3 x 3"),
        (LISTED, np.array([["a", "b"]] * 3), "one real number"),
        (LISTED, np.array([[0, 1], [0, np.nan], [0, 0]]), "image 1 and text 2 is nan"),
        (Shortlist(LISTED.texts_of_image[:2], LISTED.images_of_text), np.zeros((2, 2)), "of 3 images is 2 x 2"),
        (Shortlist(np.array([[4, 2]] * 3), LISTED.images_of_text), np.zeros((3, 2)), "items 2 to 4 of 4"),
        (Shortlist(np.array([[2, 2]] * 3), LISTED.images_of_text), np.zeros((3, 2)), "an item twice"),
        (Shortlist(LISTED.texts_of_image, np.array([[2, 3]] * 4)), np.zeros((3, 2)), "texts names items 2 to 3 of 3"),
    ],
)
def test_lists_and_scores_that_do_not_fit(listed: Shortlist, image_scores: np.ndarray, said: str) -> None:
    with pytest.raises(UserError, match=said):
        reranked(VECTOR, [0, 1, 2, 0], listed, image_scores, np.zeros((4, 2)))


def test_arguments_of_the_matrix_that_do_not_fit() -> None:
    with pytest.raises(UserError, match="matching scores are 4 x 3, but the similarity matrix is 3 x 4"):
        reranked_matrix(VECTOR, VECTOR.T, [0, 1, 2, 0], 2, "match")
    with pytest.raises(UserError, match="1 item or more"):
        reranked_matrix(VECTOR, VECTOR, [0, 1, 2, 0], 0, "match")
    with pytest.raises(UserError, match="did you mean 'match"):
        reranked_matrix(VECTOR, VECTOR, [0, 1, 2, 0], 2, "match+vector")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="unknown re-ranking rule"):
        statement(2, "vector")  # type: ignore[arg-type]
    assert ranks(VECTOR, [0, 1, 2, 0])[0].masked is None


def test_sums_of_both_scores_are_not_rounded_into_ties() -> None:
    match = np.full((2, 2), 2.0**24, dtype=np.float32)
    vector = np.array([[0.5, 0.25], [0.5, 0.75]], dtype=np.float32)  # lost beside 2**24 in single precision
    found = reranked_matrix(vector, match, [0, 1], 2, "match + vector")
    assert summary(*found) == recall(vector, [0, 1])
    assert recall(match + vector, [0, 1])["TR_tied"] > 0
