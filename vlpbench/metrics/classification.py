"""Classes of pictures: accuracy, top-5 accuracy and recall of each class, in percent (CLIP, arXiv 2103.00020).

The five likeliest classes are those of largest score; of equal scores the class that comes first in the list of classes
is taken, so that a result is a function of the scores. Nothing is drawn by chance.
Axes: N pictures, C classes, k listed classes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError

__all__ = ["TOP", "accuracies", "chance", "commonest", "likeliest"]

TOP = 5
"""How many classes are listed for a picture, and k of the second accuracy."""


def likeliest(scores: ArrayLike, k: int = TOP) -> NDArray[np.int64]:
    """N, min(k, C): the classes of largest score (N, C), best first; of equal scores the earlier class.

    A score that is not finite is a UserError: it has no place in an order.
    """
    given = np.asarray(scores)
    if given.ndim != 2 or not given.shape[1]:
        raise UserError(f"scores are pictures x classes, not of shape {given.shape}")
    if not np.isfinite(given).all():
        raise UserError("a score of a class is not a finite number", remedy="look for a model that diverged")
    best: NDArray[np.int64] = np.argsort(-given, axis=1, kind="stable")[:, :k].astype(np.int64)
    return best


def accuracies(labels: Sequence[str], listed: Sequence[Sequence[str]], classes: int) -> dict[str, float]:
    """How often the label is the first class of a list, or one of the first five; and that of each class, in percent.

    `classes` is C, the number of classes to choose from; `accuracy_top5` is there where they are more than five, and
    each list then has to name five. `mean_per_class` is the mean of `recall[class=...]` over the classes that pictures
    have, rare ones counting as much as common ones. A label that no list can name counts as wrong.
    """
    if not labels or len(labels) != len(listed):
        raise UserError(f"{len(labels)} labels and {len(listed)} predictions: one for each picture is needed")
    least = TOP if classes > TOP else 1
    if any(len(one) < least for one in listed):
        raise UserError(f"a prediction lists fewer than {least} classes")
    hits: dict[str, list[bool]] = defaultdict(list)
    for label, one in zip(labels, listed, strict=True):
        hits[label].append(one[0] == label)
    recalls = {label: _percent(hits[label]) for label in sorted(hits)}
    found = {"accuracy": _percent([hit for one in hits.values() for hit in one])}
    if classes > TOP:
        found["accuracy_top5"] = _percent([label in one[:TOP] for label, one in zip(labels, listed, strict=True)])
    found["mean_per_class"] = sum(recalls.values()) / len(recalls)
    return found | {f"recall[class={label}]": recall for label, recall in recalls.items()}


def chance(labels: Sequence[str], known: Collection[bool], classes: int) -> dict[str, float]:
    """What drawing classes evenly scores on average; `known` (N) says whose label can be drawn at all."""
    by_class = defaultdict(list)
    for label, can in zip(labels, known, strict=True):
        by_class[label].append(can)
    share = _percent(list(known))
    found = {"accuracy": share / classes}
    if classes > TOP:
        found["accuracy_top5"] = share * TOP / classes
    return found | {"mean_per_class": sum(map(_percent, by_class.values())) / len(by_class) / classes}


def commonest(labels: Sequence[str]) -> str:
    """The class that most (training) pictures have; of equals the first by alphabet."""
    if not labels:
        raise UserError("there is no label to take the commonest of")
    return min(Counter(labels).items(), key=lambda item: (-item[1], item[0]))[0]


def _percent(hits: Sequence[bool]) -> float:
    return 100 * sum(hits) / len(hits)
