"""ROUGE-L of each caption: the longest common subsequence with its references, as `pycocoevalcap/rouge` weighs it.

Lin 2004, F with beta 1.2. Precision and recall are each the best over the references, so they may come from two of
them. Captions part at single spaces: an empty one has one token, and is equal to an empty reference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["rouge_l", "subsequence"]

BETA = 1.2


def rouge_l(said: Sequence[str], given: Sequence[Sequence[str]]) -> tuple[float, NDArray[np.float64]]:
    """ROUGE-L of the set, the mean over images, and of each image: 0 to 1; `said` and `given` are of the same images.

    Captions are tokens joined by single spaces; each image has at least one given.
    """
    scores = np.array([_f_score(one, texts) for one, texts in zip(said, given, strict=True)])
    return float(scores.mean()), scores


def _f_score(said: str, given: Sequence[str]) -> float:
    words = said.split(" ")
    places = _places(words)
    precision = recall = 0.0
    for text in given:
        other = text.split(" ")
        common = _common(places, len(words), other)
        precision, recall = max(precision, common / len(words)), max(recall, common / len(other))
    if not precision:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence.

    >>> subsequence("a dog runs".split(), "the dog on a lawn runs".split())
    2
    """
    return _common(_places(one), len(one), other)


def _places(words: Sequence[str]) -> dict[str, int]:
    """The places of each word, as the bits of a number."""
    places: dict[str, int] = {}
    bit = 1
    for word in words:
        places[word] = places.get(word, 0) | bit
        bit <<= 1
    return places


def _common(places: dict[str, int], length: int, other: Sequence[str]) -> int:
    """Length of the longest common subsequence with the words at `places`: one addition for a row of the usual table.

    Hyyro 2004: bit j is 0 where the subsequence grows from the first j words to the first j + 1.
    """
    full = (1 << length) - 1
    row = full
    for word in other:
        if word in places:
            hit = row & places[word]
            row = ((row + hit) | (row - hit)) & full
    return length - row.bit_count()
