"""Re-ranking: a slow scorer orders each query's own shortlist, all other items stay below it in vector order.

The order of a query is: the k items that vectors list for it, by their final scores; then all others by their vector
scores. ALBEF's `Retrieval.py` (arXiv 2107.07651) scores the listed ones by the matching head alone (rule `match`),
BLIP and BLIP-2 by the sum of both (rule `match + vector`). Both give the others one constant, so that they tie; here
they keep their order. An image is judged by its own list and a text by its own: a pair that only the other direction
listed has a matching score that this one never looks at. k and rule are part of a result: `statement` says them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError, unknown
from vlpbench.metrics.recall import CUTOFFS, Ranks, ranks
from vlpbench.metrics.same_text import SameText
from vlpbench.metrics.score_blocks import matrix_scores, owners
from vlpbench.metrics.top import top, top_of_vectors

__all__ = [
    "Rule", "Shortlist", "k_note", "reranked", "reranked_matrix", "shortlist", "shortlist_of_vectors", "statement",
]

Rule = Literal["match", "match + vector"]
"""What the final score of a listed pair is: the matching score, or the sum of it and the vector score (in float64)."""


@dataclass(frozen=True)
class Shortlist:
    """What each query's vectors list, best first. I images, T texts; k is clipped to the gallery of each direction."""

    texts_of_image: NDArray[np.int64]
    """I x k: columns."""
    images_of_text: NDArray[np.int64]
    """T x k: rows."""


def shortlist(similarity: ArrayLike, k: int) -> Shortlist:
    """The k best texts of each image and the k best images of each text, by an I x T matrix."""
    return Shortlist(top(similarity, k, 1)[0], top(similarity, k, 0)[0])


def shortlist_of_vectors(images: ArrayLike, texts: ArrayLike, k: int, rows: int | None = None) -> Shortlist:
    """`shortlist` of `images` (I,E) @ `texts` (T,E) transposed, which never exists as a whole."""
    return Shortlist(*(top_of_vectors(images, texts, k, axis, rows)[0] for axis in (1, 0)))


def k_note(k: int) -> str | None:
    """A sentence for a k below the largest cutoff, whose R@k it does not decide; None where there is nothing to say."""
    if k >= max(CUTOFFS):
        return None
    late = ", ".join(f"R@{cutoff}" for cutoff in CUTOFFS if cutoff > k)
    return f"only {k} items of each query were re-ranked: places after that, and so part of {late}, are in vector order"


def statement(k: int, rule: Rule) -> str:
    """How a result was re-ranked, for the table that shows it."""
    return f"top {k} of each query, in each direction its own, re-ranked by {_known(rule)}; all others below by vector"


def reranked_matrix(
    similarity: ArrayLike,
    match: ArrayLike,
    text_image: ArrayLike,
    k: int,
    rule: Rule,
    same_text: ArrayLike | None = None,
) -> tuple[Ranks, Ranks]:
    """Ranks (TR, IR) after re-ranking the k best of each query by `match` (I x T), which is read nowhere else.

    `match` may hold anything (NaN, say) outside the shortlists; UserError names the first listed pair that is not
    finite. A k of the gallery's size or more gives `ranks` of the final scores.
    """
    scores, matching = np.asarray(similarity), np.asarray(match)
    if scores.shape != matching.shape:
        raise UserError(
            f"the matching scores are {_size(matching)}, but the similarity matrix is {_size(scores)}",
            remedy="both have a row an image and a column a text",
        )
    listed, add = shortlist(scores, k), _known(rule) == "match + vector"
    finals = []
    for pairs in _pairs(listed):
        final = matching[pairs].astype(np.float64)
        finals.append(final + scores[pairs] if add else final)
    return reranked(scores, text_image, listed, finals[0], finals[1], same_text)


def reranked(
    similarity: ArrayLike,
    text_image: ArrayLike,
    listed: Shortlist,
    image_scores: ArrayLike,
    text_scores: ArrayLike,
    same_text: ArrayLike | None = None,
) -> tuple[Ranks, Ranks]:
    """Ranks (TR, IR) where the listed items stand first, by final scores of the caller's, and all others below.

    `similarity`: I x T, the order of the others. `image_scores`: I x k, final scores of `listed.texts_of_image`;
    `text_scores`: T x k, of `listed.images_of_text`. Ties count as in `ranks`, among listed items and among the others;
    never between the two. `text_image`, `same_text`: as in `ranks`.
    """
    scores = matrix_scores(similarity)
    owner = owners(text_image, scores.images, scores.texts)
    by_image, by_text = ranks(similarity, owner, same_text)
    same = None if same_text is None else SameText(owner, same_text, scores.images)
    own = scores.own(owner)
    best = np.full(scores.images, own.min(), dtype=own.dtype)
    np.maximum.at(best, owner, own)
    found = []
    given = (listed.texts_of_image, image_scores, by_image, best), (listed.images_of_text, text_scores, by_text, own)
    for direction, (items, final, plain, target) in enumerate(given):
        _fits(items, final, (scores.images, scores.texts), direction)
        images, texts = _pairs(listed)[direction]
        right = owner[texts] == images
        wrong = ~right if same is None else ~right & ~same.masks(images, texts)
        vectors = np.asarray(similarity)[images, texts].astype(own.dtype)
        _finite(np.asarray(final), images, texts)
        found.append(_decided(np.asarray(final), vectors, (right, wrong), plain, target[:, None]))
    return found[0], found[1]


def _decided(
    final: NDArray[Any],
    vectors: NDArray[Any],
    truth: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    plain: Ranks,
    target: NDArray[Any],
) -> Ranks:
    """Ranks of one direction's queries, from the final and vector scores (Q,k) of their lists.

    `truth`: which listed items are right, which are wrong (masked ones are neither); `plain`: ranks by vectors alone;
    `target`: Q x 1, the vector score of the best right item.
    """
    right, wrong = truth
    inside = right.any(axis=1)
    lowest = final.min(axis=1, keepdims=True)
    best = np.max(np.where(right, final, lowest), axis=1, keepdims=True)
    # Outside: all listed wrong ones are better, and those of them that vectors had counted are not counted twice.
    above, level = _sum(wrong & (vectors > target)), _sum(wrong & (vectors == target))
    return Ranks(
        np.where(inside, _sum(wrong & (final > best)), plain.better - above + _sum(wrong)),
        np.where(inside, _sum(wrong & (final == best)), plain.tied - level),
        np.where(inside, _sum(right & (final == best)), plain.right),
        plain.masked,
    )


def _sum(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.asarray(np.count_nonzero(flags, axis=1), dtype=np.int64)


def _pairs(listed: Shortlist) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
    """Image and text of each listed pair, for both directions; arrays that are broadcast against each other."""
    return (
        (np.arange(len(listed.texts_of_image))[:, None], listed.texts_of_image),
        (listed.images_of_text, np.arange(len(listed.images_of_text))[:, None]),
    )


def _fits(items: NDArray[np.int64], final: ArrayLike, sizes: tuple[int, int], direction: int) -> None:
    """UserError unless a direction's list names each item once, and there is one final score for each."""
    name, queries, gallery = ("images", *sizes) if direction == 0 else ("texts", *sizes[::-1])
    if items.ndim != 2 or len(items) != queries or not items.shape[1] or items.dtype.kind not in "iu":
        raise UserError(f"the shortlist of {queries} {name} is {_size(items)} of {items.dtype}")
    if items.min() < 0 or items.max() >= gallery:
        raise UserError(f"the shortlist of the {name} names items {items.min()} to {items.max()} of {gallery}")
    if (np.diff(np.sort(items, axis=1), axis=1) == 0).any():
        raise UserError(f"the shortlist of the {name} names an item twice for one query")
    given = np.asarray(final)
    if given.shape != items.shape or given.dtype.kind not in "fiu":
        raise UserError(
            f"the final scores of the {name} are {_size(given)} of {given.dtype}, their lists {_size(items)}",
            remedy="give one real number for each listed item, in the order of the list",
        )


def _finite(final: NDArray[Any], images: NDArray[np.int64], texts: NDArray[np.int64]) -> None:
    """UserError that names the first listed pair whose final score is not finite."""
    finite = np.isfinite(final)
    if not finite.all():
        at = tuple(np.argwhere(~finite)[0])
        image, text = (np.broadcast_to(one, final.shape)[at] for one in (images, texts))
        raise UserError(
            f"the final score of image {image} and text {text} is {final[at]}, not a finite number",
            remedy="every pair of a shortlist needs a matching score, in each direction",
        )


def _known(rule: Rule) -> Rule:
    """The rule, or UserError where there is none of that name."""
    if rule not in get_args(Rule):
        raise unknown("re-ranking rule", rule, get_args(Rule))
    return rule


def _size(array: NDArray[Any]) -> str:
    return " x ".join(map(str, array.shape)) or "one number"
