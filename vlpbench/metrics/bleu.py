"""BLEU-1 to BLEU-4 of a set of captions and of each of them, as `pycocoevalcap/bleu/bleu_scorer.py` computes them.

Papineni et al. 2002 with that file's constants: 1e-15 over 1e-9 keeps a caption without a match off zero's logarithm,
so its BLEU-4 is small and not 0. The reference length of a caption is the closest one, the shorter of two as close. The
BLEU of the set comes from sums over all images: it is not the mean of the images' BLEUs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlpbench.metrics.grams import LONGEST, Counted, Grams

__all__ = ["bleu"]

TINY, SMALL = 1e-15, 1e-9
"""What is added to a numerator, and to a denominator."""


def bleu(counted: Counted) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """BLEU-1..4 of the set (4) and of each image (4, I), 0 to 1, in the order of the images."""
    images = len(counted.said_words)
    right = np.stack([_right(grams, images) for grams in counted.grams])
    tried = np.stack([np.maximum(counted.said_words - n, 0) for n in range(LONGEST)])
    said, given = counted.said_words, _closest(counted)
    whole = _scores(right.sum(1, keepdims=True), tried.sum(1, keepdims=True), said.sum(), given.sum())
    return whole[:, 0], _scores(right, tried, said, given)


def _scores(
    right: NDArray[np.int64], tried: NDArray[np.int64], said: NDArray[np.int64], given: NDArray[np.int64]
) -> NDArray[np.float64]:
    """BLEU-1..4 (4, I) of runs found in a reference and runs tried (4, I), words said and words of the closest (I)."""
    precision = np.cumprod((right + TINY) / (tried + SMALL), axis=0)
    means = precision ** (1 / np.arange(1, LONGEST + 1))[:, None]
    ratio = (said + TINY) / (given + SMALL)
    return means * np.exp(np.minimum(1 - 1 / ratio, 0))


def _right(grams: Grams, images: int) -> NDArray[np.int64]:
    """The runs of each caption said that a reference has, each counted as often as in the reference with the most."""
    most = np.zeros(len(grams.said.gram), np.int64)
    np.maximum.at(most, grams.match, grams.given.count[grams.met])
    found = np.bincount(grams.said.caption, np.minimum(most, grams.said.count), images)
    return found.astype(np.int64)


def _closest(counted: Counted) -> NDArray[np.int64]:
    """The number of words of the reference closest in length to the caption said, of each image."""
    longest = int(counted.given_words.max()) + 1
    gap = np.abs(counted.given_words - counted.said_words[counted.image])
    first = np.searchsorted(counted.image, np.arange(len(counted.said_words)))
    return np.minimum.reduceat(gap * longest + counted.given_words, first) % longest
