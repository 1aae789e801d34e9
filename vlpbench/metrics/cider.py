"""CIDEr-D and plain CIDEr: likeness to the references, with runs of words weighed by how few images have them.

arXiv 1411.5726. `cider` is CIDEr-D as `pycocoevalcap/cider` computes it under the name CIDEr: counts clipped at the
reference's, a Gaussian (sigma 6) on the difference in length, no stemming. `plain=True` leaves both out, as
`vrama91/cider`'s `cider` does. Lengths are numbers of word *pairs*, so no word and one word are equally long. Weights
come from the references of the images scored: a score belongs to its set of images, and of a single image it is 0.
Where no reference has a word pycocoevalcap stops with an error; here every score is then 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vlpbench.metrics.grams import Counted, Grams

__all__ = ["cider"]

SIGMA = 6.0
SCALE = 10.0


def cider(counted: Counted, *, plain: bool = False) -> tuple[float, NDArray[np.float64]]:
    """CIDEr-D (or plain CIDEr) of the set, the mean over images, and of each image (I): 0 to 10."""
    images = len(counted.said_words)
    # One table, so that a run which every image has weighs exactly 0 and not a rounding error.
    logs = np.array([math.log(max(1, n)) for n in range(images + 1)])
    likeness = np.zeros(len(counted.image))
    for grams in counted.grams:
        weight = logs[images] - logs[_images_with(grams, counted.image)]
        likeness += _likeness(grams, counted.image, weight, plain)
    if not plain:
        pairs = np.maximum(counted.given_words - 1, 0) - np.maximum(counted.said_words - 1, 0)[counted.image]
        likeness *= np.exp(-(pairs**2) / (2 * SIGMA**2))
    mean = np.bincount(counted.image, likeness, images) / np.bincount(counted.image, minlength=images)
    scores = SCALE * mean / len(counted.grams)
    return float(scores.mean()), scores


def _images_with(grams: Grams, image: NDArray[np.int64]) -> NDArray[np.int64]:
    """In how many images' references each run is (K)."""
    # The captions come in the order of their images, nearly sorted; numpy.unique may hash, which is ten times slower.
    pairs = np.sort(image[grams.given.caption] * grams.kinds + grams.given.gram, kind="stable")
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    return np.bincount(pairs[first] % max(grams.kinds, 1), minlength=grams.kinds)


def _likeness(
    grams: Grams, image: NDArray[np.int64], weight: NDArray[np.float64], plain: bool
) -> NDArray[np.float64]:
    """Cosine of each caption given (R) with the one said of its image, over weighed counts of runs of one length."""
    said, given = grams.said.count * weight[grams.said.gram], grams.given.count * weight[grams.given.gram]
    mine, theirs = said[grams.match], given[grams.met]
    product = (mine if plain else np.minimum(mine, theirs)) * theirs
    shared = np.bincount(grams.given.caption[grams.met], product, len(image))
    said_norm = np.sqrt(np.bincount(grams.said.caption, said**2, int(image[-1]) + 1))
    norms = said_norm[image] * np.sqrt(np.bincount(grams.given.caption, given**2, len(image)))
    return shared / np.where(norms != 0, norms, 1)
