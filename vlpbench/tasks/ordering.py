"""In which order a closed gallery's items come for each query, in both directions, and where the right ones stand.

Four roads lead to one `Order`: vectors, whose matrix never exists; a shortlist by vectors that a slower scorer orders;
the matrix of all pairs by that scorer; and two matrices, where a direction has scores of its own.
Axes: I pictures, T texts, Q queries, E joint width, k listed, m kept items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vlpbench.metrics.recall import Ranks, ranks, ranks_of_vectors
from vlpbench.metrics.shortlist import Shortlist, reranked
from vlpbench.metrics.top import Top, top, top_of_vectors

__all__ = ["KEPT", "Order", "Vectors", "by_matrices", "by_matrix", "by_shortlist", "by_vectors"]

KEPT = 50
"""Best items kept for each query."""

Vectors = tuple[np.ndarray, np.ndarray]
"""I, E and T, E in fp32."""


@dataclass(frozen=True)
class Order:
    """Image to text, then text to image."""

    placed: tuple[Ranks, Ranks]
    """Where the first right answer of each query stands."""
    found: tuple[Top, Top]
    """The best items of each query (Q, m), best first, and their scores."""
    listed: tuple[int, int] = (0, 0)
    """How many items at the head of each query were re-ranked; their scores are final ones, all others are cosines."""


def by_vectors(vectors: Vectors, owner: np.ndarray, same_text: np.ndarray | None) -> Order:
    """By cosine; `owner` (T) is the picture of each text, `same_text` (T) equal where texts shall not compete."""
    return Order(
        ranks_of_vectors(*vectors, owner, same_text=same_text),
        (top_of_vectors(*vectors, KEPT, 1), top_of_vectors(*vectors, KEPT, 0)),
    )


def by_shortlist(
    vectors: Vectors,
    owner: np.ndarray,
    same_text: np.ndarray | None,
    k: int,
    judge: Callable[[Shortlist], tuple[np.ndarray, np.ndarray]],
    add: bool,
) -> Order:
    """By the scores that `judge` gives to the k nearest of each query (I, k and T, k), `add` their cosines or not."""
    cosines = vectors[0] @ vectors[1].T
    near = top(cosines, max(k, KEPT), 1), top(cosines, max(k, KEPT), 0)
    listed = Shortlist(near[0][0][:, :k], near[1][0][:, :k])
    judged = judge(listed)
    final = [
        scores.astype(np.float64) + (cosine[:, :k] if add else 0)
        for scores, (_, cosine) in zip(judged, near, strict=True)
    ]
    placed = reranked(cosines, owner, listed, final[0], final[1], same_text)
    found = _sorted(near[0], final[0]), _sorted(near[1], final[1])
    return Order(placed, found, (final[0].shape[1], final[1].shape[1]))


def by_matrix(matrix: np.ndarray, owner: np.ndarray, same_text: np.ndarray | None) -> Order:
    """By scores of all pairs (I, T)."""
    placed = ranks(matrix, owner, same_text)
    return Order(placed, (top(matrix, KEPT, 1), top(matrix, KEPT, 0)), matrix.shape[::-1])


def by_matrices(both: tuple[np.ndarray, np.ndarray], owner: np.ndarray, same_text: np.ndarray | None) -> Order:
    """By scores of all pairs (I, T twice), the first for texts of pictures, the second for pictures of texts."""
    to_text, to_image = both
    placed = ranks(to_text, owner, same_text)[0], ranks(to_image, owner, same_text)[1]
    return Order(placed, (top(to_text, KEPT, 1), top(to_image, KEPT, 0)), to_text.shape[::-1])


def _sorted(near: Top, final: np.ndarray) -> Top:
    """The m best: the listed ones by their final scores (Q, k), of equals the first in the gallery; then the others."""
    items, scores = near
    k = final.shape[1]
    order = np.lexsort((items[:, :k], -final), axis=1)
    head = [np.take_along_axis(one, order, axis=1) for one in (items[:, :k], final)]
    joined = [np.concatenate([first, rest[:, k:]], axis=1) for first, rest in zip(head, (items, scores), strict=True)]
    return joined[0][:, :KEPT], joined[1][:, :KEPT]
