"""Orders of a gallery by three roads, against sorting every query by its definition."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.shortlist import Shortlist
from vlpbench.tasks.ordering import KEPT, Order, by_matrix, by_shortlist, by_vectors

IMAGES, TEXTS = 40, 120
OWNER = np.arange(TEXTS) // 3


@pytest.fixture(scope="module")
def vectors() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((many, 8)).astype(np.float32) for many in (IMAGES, TEXTS))
    return tuple(one / np.linalg.norm(one, axis=1, keepdims=True) for one in (left, right))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def match() -> np.ndarray:
    """Coarse, so that many scores tie."""
    return np.random.default_rng(1).integers(0, 6, (IMAGES, TEXTS)).astype(np.float32)


def reordered(vectors: tuple[np.ndarray, np.ndarray], match: np.ndarray, k: int, add: bool = False) -> Order:
    def judge(listed: Shortlist) -> tuple[np.ndarray, np.ndarray]:
        return (
            np.take_along_axis(match, listed.texts_of_image, 1), np.take_along_axis(match.T, listed.images_of_text, 1)
        )

    return by_shortlist(vectors, OWNER, None, k, judge, add)


@pytest.mark.parametrize("k", [1, 5, 60, 500])
@pytest.mark.parametrize("add", [False, True])
def test_a_list_is_sorted_by_its_definition(
    k: int, add: bool, vectors: tuple[np.ndarray, np.ndarray], match: np.ndarray
) -> None:
    order = reordered(vectors, match, k, add)
    cosines = vectors[0] @ vectors[1].T
    for way, (near, final) in enumerate(((cosines, match), (cosines.T, match.T))):
        items, scores = order.found[way]
        queries, gallery = near.shape
        assert items.shape == scores.shape == (queries, min(KEPT, gallery))
        assert order.listed[way] == min(k, gallery)
        for query in range(queries):
            listed = sorted(range(gallery), key=lambda at: (-near[query, at], at))[:k]
            last = {at: float(final[query, at]) + (float(near[query, at]) if add else 0) for at in listed}
            others = sorted(set(range(gallery)) - set(listed), key=lambda at: -near[query, at])
            said = [*sorted(listed, key=lambda at: (-last[at], at)), *others][:KEPT]
            assert items[query].tolist() == said
            assert scores[query] == pytest.approx([last.get(at, near[query, at]) for at in said])


def test_a_list_of_all_is_the_matrix(vectors: tuple[np.ndarray, np.ndarray], match: np.ndarray) -> None:
    one, two = reordered(vectors, match, TEXTS), by_matrix(match, OWNER, None)
    assert one.listed == two.listed == (TEXTS, IMAGES)
    for way in (0, 1):
        for name in ("better", "tied", "right"):
            assert (getattr(one.placed[way], name) == getattr(two.placed[way], name)).all()
        assert (one.found[way][0] == two.found[way][0]).all()


def test_constant_scores_leave_a_shortlist_at_chance(vectors: tuple[np.ndarray, np.ndarray]) -> None:
    order = reordered(vectors, np.zeros((IMAGES, TEXTS), np.float32), TEXTS)
    assert (order.placed[1].tied == IMAGES - 1).all() and (order.placed[1].better == 0).all()


def test_texts_that_read_alike_do_not_compete(vectors: tuple[np.ndarray, np.ndarray], match: np.ndarray) -> None:
    alike = OWNER * 0 + np.arange(TEXTS) % 3  # the first texts of all images are one string, and so on
    for order in (by_vectors(vectors, OWNER, alike), by_matrix(match, OWNER, alike)):
        assert (order.placed[0].masked == TEXTS - 3).all() and (order.placed[1].masked == IMAGES - 1).all()
        assert (order.placed[0].better == 0).all() and (order.placed[1].tied == 0).all()


def test_vectors_alone_have_no_second_scorer(vectors: tuple[np.ndarray, np.ndarray]) -> None:
    order = by_vectors(vectors, OWNER, None)
    assert order.listed == (0, 0)
    assert order.found[0][1] == pytest.approx(-np.sort(-(vectors[0] @ vectors[1].T), axis=1)[:, :KEPT], abs=1e-6)


def test_a_score_that_is_not_finite_is_named(vectors: tuple[np.ndarray, np.ndarray], match: np.ndarray) -> None:
    broken = match.copy()
    broken[3] = np.nan
    with pytest.raises(UserError, match="image 3"):
        reordered(vectors, broken, 5)
    with pytest.raises(UserError, match="not a finite number"):
        by_matrix(broken, OWNER, None)
