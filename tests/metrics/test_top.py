"""The best items against a full stable sort, in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest

import vlpbench.metrics.top as module
from vlpbench.errors import UserError
from vlpbench.metrics.top import top, top_of_vectors


def sorted_whole(similarity: np.ndarray, k: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    scores = similarity if axis == 1 else similarity.T
    items = np.argsort(-scores.astype(float), axis=1, kind="stable")[:, :k]
    return items, np.take_along_axis(scores, items, axis=1)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("k", [1, 3, 10, 40, 99])
@pytest.mark.parametrize("block", [1, 200, 1 << 23])
@pytest.mark.parametrize("levels", [2, 5, 10**6])
def test_best_first_and_the_first_listed_first_where_scores_tie(
    axis: int, k: int, block: int, levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    similarity = np.random.default_rng(k).integers(0, levels, (30, 40)).astype(np.float32)
    items, scores = top(similarity, k, axis)  # type: ignore[arg-type]
    wanted = sorted_whole(similarity, k, axis)
    assert np.array_equal(items, wanted[0]) and np.array_equal(scores, wanted[1])
    assert items.shape == ((30, min(k, 40)) if axis else (40, min(k, 30)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("axis", [0, 1])
def test_any_type_of_number(dtype: type, axis: int) -> None:
    similarity = np.random.default_rng(0).integers(0, 9, (12, 20)).astype(dtype)
    items, scores = top(similarity, 4, axis)  # type: ignore[arg-type]
    wanted = sorted_whole(similarity, 4, axis)
    assert np.array_equal(items, wanted[0]) and np.array_equal(scores, wanted[1])
    assert scores.dtype == (np.float32 if dtype == np.float16 else dtype)


@pytest.mark.parametrize("rows", [1, 4, 7, None])
@pytest.mark.parametrize("axis", [0, 1])
def test_from_vectors_it_is_the_top_of_their_product_in_the_same_blocks(rows: int | None, axis: int) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((30, 8), dtype=np.float32), rng.standard_normal((50, 8), dtype=np.float32)
    right[20:40] = right[:20]
    step = rows or 30
    product = np.concatenate([left[at : at + step] @ right.T for at in range(0, 30, step)])
    for found, wanted in zip(top_of_vectors(left, right, 6, axis, rows), top(product, 6, axis), strict=True):  # type: ignore[arg-type]
        assert np.array_equal(found, wanted)


def test_the_lowest_whole_number_has_no_negative_and_is_last_all_the_same() -> None:
    low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    assert top(np.array([[low, 0, high]]), 3)[0].tolist() == [[2, 1, 0]]


@pytest.mark.parametrize(
    ("similarity", "k", "axis", "said"),
    [
        (np.zeros((3, 4)), 0, 1, "1 item or more"),
        (np.zeros((3, 4)), 2, 2, "axis is 1"),
        (np.zeros(4), 2, 1, "1-dimensional"),
        (np.zeros((0, 4)), 2, 1, "nothing to list among 0 images"),
        (np.zeros((4, 0)), 2, 0, "and 0 texts"),
        (np.array([[0.0, 1.0], [np.nan, 2.0]]), 1, 0, "image 1 and text 0 is nan"),
    ],
)
def test_what_cannot_be_listed(similarity: np.ndarray, k: int, axis: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        top(similarity, k, axis)  # type: ignore[arg-type]
