"""Tie rules, masked texts and vectors in blocks, each against a slow obvious version."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import vlpbench.metrics.score_blocks as blocks
from vlpbench.errors import UserError
from vlpbench.metrics.recall import Ranks, chance, ranks, ranks_of_vectors, recall, summary
from vlpbench.metrics.same_text import SameText


def gallery(seed: int, images: int = 7, texts: int = 23, levels: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with many ties, the image of each text in mixed order, and numbers of strings that repeat."""
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.concatenate([np.arange(images), rng.integers(0, images, texts - images)]))
    return rng.integers(0, levels, (images, texts)).astype(np.float32), owner, rng.integers(0, texts, texts) // 2


def slow(similarity: np.ndarray, owner: np.ndarray, same: np.ndarray | None) -> tuple[list, list]:
    """Better, tied, right and masked of each query, item by item, as the words say."""
    images, texts = similarity.shape
    strings = [{same[t] for t in range(texts) if same is not None and owner[t] == i} for i in range(images)]
    by_image, by_text = [], []
    for i in range(images):
        best = max(similarity[i, t] for t in range(texts) if owner[t] == i)
        masked = [t for t in range(texts) if owner[t] != i and same is not None and same[t] in strings[i]]
        wrong = [similarity[i, t] for t in range(texts) if owner[t] != i and t not in masked]
        right = [similarity[i, t] for t in range(texts) if owner[t] == i]
        by_image.append((sum(s > best for s in wrong), wrong.count(best), right.count(best), len(masked)))
    for t in range(texts):
        own = similarity[owner[t], t]
        masked = [i for i in range(images) if i != owner[t] and same is not None and same[t] in strings[i]]
        wrong = [similarity[i, t] for i in range(images) if i != owner[t] and i not in masked]
        by_text.append((sum(s > own for s in wrong), wrong.count(own), 1, len(masked)))
    return by_image, by_text


def rows(found: Ranks) -> list[tuple[int, ...]]:
    masked = np.zeros_like(found.better) if found.masked is None else found.masked
    return list(zip(found.better, found.tied, found.right, masked, strict=True))


def same(one: tuple[Ranks, Ranks], other: tuple[Ranks, Ranks]) -> bool:
    return all(rows(a) == rows(b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_ranks_and_masks_are_those_of_the_slow_version(seed: int, masks: bool) -> None:
    similarity, owner, numbers = gallery(seed)
    given = numbers if masks else None
    found = ranks(similarity, owner, given)
    assert (rows(found[0]), rows(found[1])) == slow(similarity, owner, given)


@pytest.mark.parametrize("images", [300, 511])
def test_more_rows_than_a_byte_counts(images: int) -> None:
    similarity, owner, numbers = gallery(1, images, images + 40, 2)
    found = ranks(np.ones_like(similarity), owner)
    assert set(found[1].tied) == {images - 1}
    found = ranks(similarity, owner, numbers)
    assert (rows(found[0]), rows(found[1])) == slow(similarity, owner, numbers)


def test_the_masked_pairs_are_the_same_in_both_directions() -> None:
    similarity, owner, numbers = gallery(2)
    by_image, by_text = ranks(similarity, owner, numbers)
    assert by_image.masked is not None and by_text.masked is not None
    assert by_image.masked.sum() == by_text.masked.sum() > 0
    found = summary(by_image, by_text)
    assert found["masked"] == by_image.masked.sum()
    pairs = SameText(owner, numbers, 7).masks(np.arange(7)[:, None], np.arange(23)[None])
    assert list(pairs.sum(1)) == list(by_image.masked) and list(pairs.sum(0)) == list(by_text.masked)
    assert recall(similarity, owner)["masked"] == 0


def test_two_images_with_the_same_caption() -> None:
    # Texts 0 and 2 are the same string, and each scores the other image above its own.
    similarity = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [2.0, 0.0, 1.0]])
    plain, masked = recall(similarity, [0, 1, 2]), recall(similarity, [0, 1, 2], same_text=[7, 8, 7])
    assert plain["TR@1"] == plain["IR@1"] == pytest.approx(100 / 3)
    assert masked["TR@1"] == masked["IR@1"] == 100
    assert masked["masked"] == 2 and plain["masked"] == 0


def test_one_image_that_repeats_itself_masks_nothing() -> None:
    similarity, owner, _ = gallery(3)
    found = ranks(similarity, owner, owner + 100)
    assert same(found, ranks(similarity, owner)) and summary(*found)["masked"] == 0


def test_texts_that_all_read_the_same_leave_nobody_to_compete() -> None:
    similarity, owner, _ = gallery(4)
    found = recall(similarity, owner, same_text=np.zeros(23, int))
    assert found["rsum"] == 600 and found["masked"] == 7 * 23 - 23


def test_chance_with_masks_is_a_constant_scorer_with_masks() -> None:
    _, owner, numbers = gallery(5)
    found, floor = recall(np.ones((7, 23)), owner, numbers), chance(7, owner, numbers)
    assert {name: found[name] for name in floor} == pytest.approx(floor)
    assert floor["IR@1"] > chance(7, owner)["IR@1"]


@pytest.mark.parametrize("bad", [np.zeros(22, int), np.zeros(23), np.zeros((23, 1), int), ["a"] * 23])
def test_numbers_of_strings_that_do_not_fit(bad: object) -> None:
    similarity, owner, _ = gallery(0)
    with pytest.raises(UserError, match="one whole number for each of 23 texts"):
        ranks(similarity, owner, bad)  # type: ignore[arg-type]


def test_tie_rules_bracket_the_expectation() -> None:
    # Query 0: one wrong text better, two tied with one right; query 1: two right ones tie with one wrong.
    found = Ranks(np.array([1, 0]), np.array([2, 1]), np.array([1, 2]))
    assert list(found.zero_based("optimistic")) == [1, 0]
    assert list(found.zero_based("expected")) == [2, 1 / 3]
    assert list(found.zero_based("pessimistic")) == [3, 1]
    assert [found.mean(rule) for rule in ("optimistic", "expected", "pessimistic")] == [1.5, 1 + 7 / 6, 3]
    assert [found.median(rule) for rule in ("optimistic", "expected", "pessimistic")] == [1, 2, 3]
    assert list(found.hits(1, "optimistic")) == [0, 1] and list(found.hits(1, "pessimistic")) == [0, 0]
    assert list(found.hits(1)) == pytest.approx([0, 2 / 3]) and list(found.hits(2)) == pytest.approx([1 / 3, 1])
    assert list(found.hits(4, "pessimistic")) == [1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_tie_rules_are_sorting_with_right_ones_first_or_last(seed: int) -> None:
    similarity, owner, _ = gallery(seed)
    wrong = owner[None] != np.arange(7)[:, None]
    for rule, nudge in (("optimistic", -0.5), ("pessimistic", 0.5)):
        untied = recall(similarity + nudge * wrong, owner)
        found = recall(similarity, owner, ties=rule)
        kept = [key for key in found if not key.endswith("_tied")]
        assert {key: found[key] for key in kept} == pytest.approx({key: untied[key] for key in kept})
        assert found["TR_tied"] == recall(similarity, owner)["TR_tied"] > 0


def test_all_tie_rules_agree_where_nothing_ties() -> None:
    similarity = np.random.default_rng(0).permutation(7 * 23).reshape(7, 23)
    owner = gallery(0)[1]
    assert recall(similarity, owner) == recall(similarity, owner, ties="optimistic")
    assert recall(similarity, owner) == recall(similarity, owner, ties="pessimistic")


def test_a_tie_rule_of_another_name() -> None:
    with pytest.raises(UserError, match="did you mean 'optimistic'"):
        recall(np.eye(3), [0, 1, 2], ties="optimist")  # type: ignore[arg-type]


def test_mean_rank_is_one_based_and_not_rounded() -> None:
    found = recall([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], [0, 1, 1])
    assert found["TR_mean"] == 1.5  # image 0: first; image 1: second
    assert found["IR_mean"] == pytest.approx(1.5)  # each text ties with the other image


@pytest.mark.parametrize("row", [1, 3, 4, 7, 100])
def test_vectors_give_the_ranks_of_their_product_in_the_same_blocks(row: int) -> None:
    rng = np.random.default_rng(0)
    owner = np.concatenate([np.arange(50), rng.integers(0, 50, 150)])
    left = rng.standard_normal((50, 16)).astype(np.float32)
    right = np.concatenate([left[:20], rng.standard_normal((180, 16)).astype(np.float32)])
    right[100:120] = right[:20]  # equal vectors: ties, or nearly so
    product = np.concatenate([left[at : at + row] @ right.T for at in range(0, 50, row)])
    assert same(ranks_of_vectors(left, right, owner, row), ranks(product, owner))
    numbers = np.arange(200) % 90
    assert same(ranks_of_vectors(left, right, owner, row, numbers), ranks(product, owner, numbers))


def test_vectors_of_small_whole_numbers_tie_exactly_in_any_block() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.integers(-2, 3, (20, 8)), rng.integers(-2, 3, (60, 8))
    owner = np.arange(60) % 20
    plain = ranks(left @ right.T, owner)
    assert summary(*plain)["IR_tied"] > 10
    assert same(ranks_of_vectors(left, right, owner), plain)
    assert same(ranks_of_vectors(left.astype(np.float16), right.astype(np.float64), owner, 3), plain)


@pytest.mark.parametrize(
    ("left", "right", "row", "said"),
    [
        (np.zeros((3, 4)), np.zeros((3, 5)), None, "width 4, text vectors 5"),
        (np.zeros(3), np.zeros((3, 5)), None, "image vectors are rows"),
        (np.zeros((3, 4)), np.zeros((3, 4), complex), None, "text vectors are rows"),
        (np.zeros((3, 4)), np.zeros((2, 4)), None, "2 columns"),
        (np.zeros((3, 4)), np.zeros((3, 4)), 0, "1 or more"),
        (np.full((3, 4), np.nan), np.zeros((3, 4)), 2, "image 0 and text 0 is nan"),
        (np.array([[1.0], [1e30], [1.0]]), np.array([[1.0], [1.0], [1e30]]), 2, "image 1 and text 2 is inf"),
    ],
)
def test_vectors_that_do_not_fit(left: np.ndarray, right: np.ndarray, row: int | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        ranks_of_vectors(left, right, [0, 1, 2], row)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.uint8, np.int64, ">f4"])
def test_other_types_of_numbers_rank_as_float32_does(dtype: object) -> None:
    similarity, owner, numbers = gallery(6)
    assert same(ranks(similarity.astype(dtype), owner, numbers), ranks(similarity, owner, numbers))


def test_large_whole_numbers_are_compared_exactly() -> None:
    top = 2**60
    assert recall(np.array([[top, top + 1], [0, 0]]), [0, 1])["TR@1"] == 25
    assert recall(np.array([[top, top + 1], [0, 0]]), [0, 1])["TR_tied"] == 1


@pytest.mark.parametrize("layout", ["columns", "strided", "read-only"])
def test_the_layout_of_the_matrix_changes_nothing(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "CACHED", 50)
    similarity, owner, _ = gallery(7)
    other = {
        "columns": np.asfortranarray(similarity),
        "strided": np.repeat(similarity, 2, axis=1)[:, ::2],
        "read-only": similarity.copy(),
    }[layout]
    other.setflags(write=False)
    assert same(ranks(other, owner), ranks(similarity, owner))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_no_second_copy_of_the_matrix(dtype: type) -> None:
    rng = np.random.default_rng(0)
    similarity = rng.standard_normal((1000, 4000), dtype=np.float32).astype(dtype)
    owner = np.arange(4000) // 4
    tracemalloc.start()
    ranks(similarity, owner)
    beside = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert beside < similarity.nbytes / 4


def test_vectors_never_make_the_matrix() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((1000, 8), dtype=np.float32), rng.standard_normal((4000, 8), dtype=np.float32)
    tracemalloc.start()
    ranks_of_vectors(left, right, np.arange(4000) // 4, rows=50)
    beside = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert beside < 1000 * 4000 * 4 / 4
