"""Retrieval recall: how often the right text (TR) or image (IR) is among the first k, ties counted by expectation.

Several texts may belong to one image. TR (image to text) looks at the rank of an image's best text among the texts of
other images, so that right answers never compete with each other; IR (text to image) at the rank of the one right
image. R@k is the share of queries with a right answer among the first k (a hit rate), as in VSE++ (arXiv 1707.05612)
`i2t`, `t2i` and ALBEF's `itm_eval`, whose numbers these are where no scores tie. Where scores tie, the value is the
exact expectation over all orders of the tied items: a scorer that gives everything the same score is at chance. Scores
are compared in blocks of rows (`score_blocks`); texts that read the same are masked by option (`same_text`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import unknown
from vlpbench.metrics.rank_counts import count
from vlpbench.metrics.same_text import SameText
from vlpbench.metrics.score_blocks import ScoreBlocks, matrix_scores, owners, vector_scores

__all__ = ["CUTOFFS", "Ranks", "Ties", "chance", "ranks", "ranks_of_vectors", "recall", "summary"]

CUTOFFS = (1, 5, 10)
"""The k of R@k."""
Ties = Literal["expected", "optimistic", "pessimistic"]
"""Where wrong items with the best right one's score stand: in random order (the exact mean), all behind, all before."""


@dataclass(frozen=True)
class Ranks:
    """Where the first right answer of each query stands. Q queries."""

    better: NDArray[np.int64]
    """Q: wrong answers with a higher score than the best right one; the zero-based rank where nothing ties."""
    tied: NDArray[np.int64]
    """Q: wrong answers with the very score of the best right one."""
    right: NDArray[np.int64]
    """Q: right answers with that score, at least 1."""
    masked: NDArray[np.int64] | None = None
    """Q: answers left out, since they read like a right one; None where no texts were compared."""

    def hits(self, k: int, ties: Ties = "expected") -> NDArray[np.float64]:
        """Q: chance (0 to 1) that a right answer is among the first k.

        In random order, with m = k - better places left for `tied` wrong and `right` right items, all m are wrong with
        the chance C(tied, m) / C(tied + right, m).
        """
        if _known(ties) != "expected":
            return (self.zero_based(ties) < k).astype(np.float64)
        places = k - self.better
        missed = np.ones(len(self.better))
        for taken in range(k):
            still = np.maximum(self.tied - taken, 0) / np.maximum(self.tied + self.right - taken, 1)
            missed = np.where(taken < places, missed * still, missed)
        return 1.0 - missed

    def expected(self) -> NDArray[np.float64]:
        """Q: expected zero-based rank: `tied` wrong items spread evenly over the gaps beside `right` right ones."""
        return np.asarray(self.better + self.tied / (self.right + 1.0))

    def zero_based(self, ties: Ties = "expected") -> NDArray[np.float64]:
        """Q: wrong answers before the first right one, by this tie rule."""
        if _known(ties) == "expected":
            return self.expected()
        before = self.better if ties == "optimistic" else self.better + self.tied
        return before.astype(np.float64)

    def median(self, ties: Ties = "expected") -> float:
        """Median one-based rank, floored before the one is added as in VSE++."""
        return float(np.floor(np.median(self.zero_based(ties))) + 1)

    def mean(self, ties: Ties = "expected") -> float:
        """Mean one-based rank, not rounded (VSE++ `meanr`)."""
        return float(np.mean(self.zero_based(ties)) + 1)


def ranks(similarity: ArrayLike, text_image: ArrayLike, same_text: ArrayLike | None = None) -> tuple[Ranks, Ranks]:
    """Ranks of all images as queries for texts (TR, in row order), and of all texts for images (IR, in column order).

    `similarity`: I x T, higher is nearer, finite; best in float32, since half precision makes ties. `text_image`: T,
    the row that each text belongs to; every image needs a text. `same_text`: T whole numbers, equal for equal strings:
    another image's text that reads like one of the query's own is then left out (TR), and so is another image that owns
    a text which reads like the query (IR). UserError for shapes, rows or scores that are not so.
    """
    scores = matrix_scores(similarity)
    return _ranks(scores, owners(text_image, scores.images, scores.texts), same_text)


def ranks_of_vectors(
    images: ArrayLike,
    texts: ArrayLike,
    text_image: ArrayLike,
    rows: int | None = None,
    same_text: ArrayLike | None = None,
) -> tuple[Ranks, Ranks]:
    """`ranks` of `images` (I,E) @ `texts` (T,E) transposed, made `rows` images at a time (about 16 MB if not said).

    The product is made twice, in float32: once for the scores of the right pairs and once to compare with them.
    """
    scores = vector_scores(images, texts, rows)
    return _ranks(scores, owners(text_image, scores.images, scores.texts), same_text)


def recall(
    similarity: ArrayLike, text_image: ArrayLike, same_text: ArrayLike | None = None, ties: Ties = "expected"
) -> dict[str, float]:
    """R@1, 5, 10 of both directions and what belongs beside them; see `ranks` for the arguments and `summary`."""
    return summary(*ranks(similarity, text_image, same_text), ties)


def summary(image_queries: Ranks, text_queries: Ranks, ties: Ties = "expected") -> dict[str, float]:
    """`TR@k`, `IR@k` in percent; `rsum`, their sum (0 to 600); and counts that explain them.

    `TR_median`, `IR_median`, `TR_mean`, `IR_mean` are one-based ranks; `TR_tied`, `IR_tied` count the queries whose
    rank hangs on the order of tied scores, whatever the tie rule; `masked` counts the pairs left out since their texts
    read the same (the same pairs in both directions); `images`, `texts` are the sizes of the galleries. The two
    directions may come from two matrices, as they do after re-ranking.
    """
    found = _recalls(image_queries, text_queries, ties)
    found["TR_median"], found["IR_median"] = image_queries.median(ties), text_queries.median(ties)
    found["TR_mean"], found["IR_mean"] = image_queries.mean(ties), text_queries.mean(ties)
    found["TR_tied"] = float(np.count_nonzero(image_queries.tied))
    found["IR_tied"] = float(np.count_nonzero(text_queries.tied))
    masks = [one.masked for one in (image_queries, text_queries) if one.masked is not None]
    found["masked"] = max((float(mask.sum()) for mask in masks), default=0.0)
    found["images"], found["texts"] = float(len(image_queries.better)), float(len(text_queries.better))
    return found


def chance(images: int, text_image: ArrayLike, same_text: ArrayLike | None = None) -> dict[str, float]:
    """Expected `TR@k`, `IR@k`, `rsum` (as in `summary`) of a random order: the floor that a table prints.

    `images`: number of rows; `text_image`: T, the row that each text belongs to; `same_text`: as in `ranks`.
    """
    owner = owners(text_image, images)
    right, one = np.bincount(owner, minlength=images), np.ones(len(owner), dtype=np.int64)
    masked: tuple[Any, Any] = (0, 0) if same_text is None else SameText(owner, same_text, images).counts()
    return _recalls(
        Ranks(np.zeros_like(right), len(owner) - right - masked[0], right),
        Ranks(np.zeros_like(one), images - 1 - masked[1], one),
    )


def _recalls(image_queries: Ranks, text_queries: Ranks, ties: Ties = "expected") -> dict[str, float]:
    """R@k of both directions in percent, and their sum."""
    found = {
        f"{direction}@{k}": 100.0 * float(found_ranks.hits(k, ties).mean())
        for direction, found_ranks in (("TR", image_queries), ("IR", text_queries))
        for k in CUTOFFS
    }
    found["rsum"] = sum(found.values())
    return found


def _ranks(scores: ScoreBlocks, owner: NDArray[np.int64], same_text: ArrayLike | None) -> tuple[Ranks, Ranks]:
    """Both directions, counted in one pass over the blocks."""
    same = None if same_text is None else SameText(owner, same_text, scores.images)
    found = count(scores, owner, same)
    one = np.ones(scores.texts, dtype=np.int64)
    masked = (None, None) if same is None else same.counts()
    return (
        Ranks(found.image_better, found.image_tied, found.image_right, masked[0]),
        Ranks(found.text_better, found.text_tied, one, masked[1]),
    )


def _known(ties: Ties) -> Ties:
    """The tie rule, or UserError where there is none of that name."""
    if ties not in get_args(Ties):
        raise unknown("tie rule", ties, get_args(Ties))
    return ties
