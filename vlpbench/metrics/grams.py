"""Runs of one to four words, counted once for a whole set of captions, as whole numbers that BLEU and CIDEr share.

Words become numbers, a run of n words the pair (run of n - 1 words, word), numbered anew: so a run of any length is one
whole number, and counting is sorting. Each image has one caption said (the prediction) and at least one given (the
references). Captions are tokens already cut, and part at any blank, also at the no-break space that the tokenizer
leaves in "22 3/4": so part BLEU's and CIDEr's captions in pycocoevalcap (but not ROUGE's).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONGEST", "Counted", "Entries", "Grams", "count_grams"]

LONGEST = 4
"""Words in the longest run."""
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Entries:
    """Which runs are in which captions: E entries, one for each caption and each different run in it."""

    caption: Numbers
    """E: the caption, counted from 0 in the order they came; ascending."""
    gram: Numbers
    """E: the run, from 0 to `kinds` - 1; ascending within a caption."""
    count: Numbers
    """E: how often the caption has it, at least 1."""


@dataclass(frozen=True)
class Grams:
    """The runs of one length."""

    kinds: int
    """How many different ones there are in all."""
    said: Entries
    """Those of the captions said; caption i is that of image i."""
    given: Entries
    """Those of the captions given; `Counted.image` tells their images."""
    met: Numbers
    """M: the entries of `given` whose run is also in the caption said of the same image; ascending."""
    match: Numbers
    """M: the entry of `said` that each of them meets."""


@dataclass(frozen=True)
class Counted:
    """I captions said, one an image, and R captions given, with their runs of 1, 2, 3 and 4 words."""

    image: Numbers
    """R: the image of each caption given, 0 to I - 1, ascending, each at least once."""
    said_words: Numbers
    """I: the number of words of each caption said."""
    given_words: Numbers
    """R: the number of words of each caption given."""
    grams: tuple[Grams, ...]
    """The runs of each length, the shortest first."""


def count_grams(said: Sequence[str], given: Sequence[Sequence[str]]) -> Counted:
    """Count the runs of the caption said of each image, and of the captions given for it, in the same order.

    ValueError where there is no image, where the two differ in number, and where an image has no caption given.
    """
    if not said or len(said) != len(given) or not all(given):
        raise ValueError("at least one image is needed, and for each one caption said and at least one given")
    image = np.repeat(np.arange(len(said)), [len(texts) for texts in given])
    lengths, words, known = _numbered(chain(said, chain.from_iterable(given)))
    caption = np.repeat(np.arange(len(lengths)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(words))
    grams = [_grams(caption, words, known, image)]
    run = words
    for n in range(2, LONGEST + 1):
        start = np.flatnonzero(left >= n)
        seen, renumbered = np.unique(run[start] * known + words[start + n - 1], return_inverse=True)
        grams.append(_grams(caption[start], renumbered, len(seen), image))
        run = np.zeros_like(words)
        run[start] = renumbered
    return Counted(image, lengths[: len(said)], lengths[len(said) :], tuple(grams))


def _numbered(captions: Iterable[str]) -> tuple[Numbers, Numbers, int]:
    """The number of words of each caption, the words of all as numbers, and how many different ones there are."""
    lengths: list[int] = []
    words: list[str] = []
    for caption in captions:
        split = caption.split()
        lengths.append(len(split))
        words += split
    number: defaultdict[str, int] = defaultdict()
    number.default_factory = number.__len__  # a word never seen gets the next number
    numbers = np.fromiter(map(number.__getitem__, words), np.int64, len(words))
    return np.array(lengths, np.int64), numbers, len(number)


def _grams(caption: Numbers, gram: Numbers, kinds: int, image: Numbers) -> Grams:
    """The entries of all runs of one length; captions are numbered with those said first, `image` is of the others."""
    images = int(image[-1]) + 1
    keys, counts = np.unique(caption * kinds + gram, return_counts=True)
    captions, runs = np.divmod(keys, max(kinds, 1))
    cut = int(np.searchsorted(captions, images))
    said = Entries(captions[:cut], runs[:cut], counts[:cut])
    given = Entries(captions[cut:] - images, runs[cut:], counts[cut:])
    wanted = image[given.caption] * kinds + given.gram
    if not cut:
        return Grams(kinds, said, given, np.zeros(0, np.int64), np.zeros(0, np.int64))
    at = np.minimum(np.searchsorted(keys[:cut], wanted), cut - 1)
    met = np.flatnonzero(keys[at] == wanted)
    return Grams(kinds, said, given, met, at[met])
