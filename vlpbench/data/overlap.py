"""Pictures that were trained on and are tested on: the same files, and copies that only look the same.

Equal bytes count as `exact`. Other pictures count as `near` where their codes are close and their thumbnails agree
(`vlpbench.data.perceptual`); blank pictures, of one colour, look like nothing and are compared by their bytes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlpbench.contract.dataset import Dataset
from vlpbench.data.hamming import pairs_within
from vlpbench.data.perceptual import alike, codes, correlation, thumbnails
from vlpbench.data.picture_files import Held, held_by, picture_digests
from vlpbench.data.splits import Split
from vlpbench.data.undecoded import Pixels

__all__ = ["ALIKE", "Overlap", "Shown", "overlap", "shown"]

ALIKE = 0.95
"""Correlation of two thumbnails from which on they show one picture."""

_WORTH = 0.7
"""Correlation before edges are trimmed below which nothing is tried: copies with 3 % cut off have 0.74 or more."""

_TRIED = 4
"""How many training pictures a test picture is compared with edge by edge, those that agree most."""

_NAMED = 5
"""How many pairs are named."""

_TOGETHER = 4096
"""Pairs whose thumbnails are held at once."""

Measure = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Shown:
    """The pictures of one split, each once."""

    name: str
    """Name of the data set in the grid."""
    held: Held
    """The folder that file names are relative to, or what holds the files."""
    files: tuple[str, ...]
    """N file names."""
    pixels: Pixels
    """M, S, S, 3: from the image store, or decoded."""
    rows: NDArray[np.int64]
    """N: which of the pixels belong to which file."""
    cache: Path
    """Where the hashes of files are remembered."""


@dataclass(frozen=True)
class Overlap:
    """How many test pictures are among the training pictures as well."""

    exact: int
    """Test pictures whose file has the same bytes as a training picture's."""
    near: int
    """Test pictures that look like a training picture though no file has their bytes."""
    of: int
    """Number of test pictures, each file once."""
    first: tuple[tuple[str, str], ...]
    """The first few pairs of test and training picture, "set: file"; those of equal bytes first."""


def shown(name: str, dataset: Dataset, split: Split) -> Shown:
    """What a split of the data set called `name` shows: nothing for texts alone.

    A blind split is grey: of it, and against it, only equal bytes are found.
    """
    rows: dict[str, int] = {}
    if len(split.pixels):
        for row, sample in enumerate(split.samples):
            rows.setdefault(sample.image, row)
    number = np.array([*rows.values()], np.int64)
    return Shown(name, held_by(dataset), tuple(rows), split.pixels, number, dataset.cache)


def overlap(trained: Sequence[Shown], tested: Sequence[Shown]) -> Overlap:
    """Compare all pictures that were trained on with all that are tested on. DataError if a file cannot be read."""
    known: dict[str, tuple[int, int]] = {}
    for number, one in enumerate(trained):
        for place, held in enumerate(_digests(one)):
            known.setdefault(held, (number, place))
    exact: list[tuple[str, str]] = []
    near: list[tuple[str, str]] = []
    learnt = [_codes(one) for one in trained]
    for test in tested:
        left = []
        for place, held in enumerate(_digests(test)):
            if held in known:
                number, other = known[held]
                exact.append((_called(test, place), _called(trained[number], other)))
            else:
                left.append(place)
        near += _near(test, np.array(left, np.int64), trained, learnt)
    of = sum(len(test.files) for test in tested)
    return Overlap(len(exact), len(near), of, tuple((exact + near)[:_NAMED]))


@dataclass(frozen=True)
class _Coded:
    """The codes of pictures that are not blank."""

    places: NDArray[np.int64]
    """Which of the files they are."""
    codes: NDArray[np.uint64]
    """Two for each."""


def _codes(one: Shown) -> _Coded:
    found, blank = codes(one.pixels)
    places = np.flatnonzero(~blank[one.rows])
    return _Coded(places, found[one.rows[places]])


def _near(
    test: Shown, left: NDArray[np.int64], trained: Sequence[Shown], learnt: Sequence[_Coded]
) -> list[tuple[str, str]]:
    """A pair for each of the places `left` of the tested pictures that looks like one that was trained on."""
    asked = _codes(test)
    kept = np.isin(asked.places, left)
    places, wanted = asked.places[kept], asked.codes[kept].ravel()
    found: dict[int, str] = {}
    for one, coded in zip(trained, learnt, strict=True):
        rows, others = pairs_within(coded.codes.ravel(), wanted)
        pairs = np.unique(np.stack([others // 2, rows // 2], 1), axis=0)  # each may be found by several of its codes
        for place, other in _confirmed(test, places[pairs[:, 0]], one, coded.places[pairs[:, 1]]):
            found.setdefault(place, _called(one, other))
    return [(_called(test, place), other) for place, other in sorted(found.items())]


def _confirmed(
    test: Shown, asked: NDArray[np.int64], one: Shown, held: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Those of the pairs (places in `test`, places in `one`) whose thumbnails agree; `asked` is sorted."""
    plain = _in_parts(correlation, test, asked, one, held)
    order = np.lexsort((-plain, asked))
    _, first, many = np.unique(asked[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, many)
    tried = order[(rank < _TRIED) & (plain[order] >= _WORTH)]
    sure = plain[tried] >= ALIKE
    sure[~sure] = _in_parts(alike, test, asked[tried[~sure]], one, held[tried[~sure]]) >= ALIKE
    return [(int(asked[row]), int(held[row])) for row in tried[sure]]


def _in_parts(
    measure: Measure, test: Shown, asked: NDArray[np.int64], one: Shown, held: NDArray[np.int64]
) -> NDArray[np.float32]:
    """K: `measure` of the thumbnails of K pairs, some at a time."""
    found = np.zeros(len(asked), np.float32)
    for start in range(0, len(asked), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        found[part] = measure(_thumbnails(test, asked[part]), _thumbnails(one, held[part]))
    return found


def _thumbnails(one: Shown, places: NDArray[np.int64]) -> NDArray[np.float32]:
    """K, 3, SIDE, SIDE: of these pictures, each read once."""
    distinct, where = np.unique(places, return_inverse=True)
    return thumbnails(one.pixels[one.rows[distinct]])[where]


def _digests(one: Shown) -> list[str]:
    return [*picture_digests(one.held, one.files, one.cache).values()]


def _called(one: Shown, place: int) -> str:
    return f"{one.name}: {one.files[place]}"
