"""Samples that lie together in larger files, and an order by chance that reads only a few of those at a time.

Axes: N examples, R runs: neighbouring examples of one larger file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlpbench.contract.dataset import Archive

__all__ = ["Lying", "Runs", "lying_in", "windowed_permutation"]


@dataclass(frozen=True)
class Runs:
    """How many neighbouring examples each larger file has, and how many files are read at a time."""

    lengths: tuple[int, ...]
    """R: they sum to N."""
    together: int
    """Files whose examples are mixed."""


@dataclass(frozen=True)
class Lying:
    """Which larger file each sample lies in."""

    parts: NDArray[np.int64]
    """N: the number of its file."""
    together: int
    """Files that a training reads at a time."""

    def runs(self, rows: Sequence[int] | NDArray[np.int64]) -> Runs:
        """The runs of the examples that show these rows, in their order."""
        parts = self.parts[np.asarray(rows, np.int64)]
        edges = np.flatnonzero(np.diff(parts)) + 1
        lengths = np.diff(np.concatenate([[0], edges, [len(parts)]]))
        return Runs(tuple(int(length) for length in lengths), self.together)


def lying_in(archive: Archive | None, names: Sequence[str]) -> Lying | None:
    """Where these pictures lie; None where that does not matter."""
    if archive is None or archive.together < 1:
        return None
    return Lying(np.array([archive.part(name) for name in names], np.int64), archive.together)


def windowed_permutation(rng: np.random.Generator, runs: Runs) -> NDArray[np.int64]:
    """N: each example once; the files in an order by chance, the examples of `together` of them mixed at a time.

    So a training that reads on has two such windows open at most, the one that ends and the one that begins.
    """
    lengths = np.array(runs.lengths, np.int64)
    starts = np.cumsum(lengths) - lengths
    files = rng.permutation(len(lengths))
    found = np.empty(int(lengths.sum()), np.int64)
    at = 0
    for first in range(0, len(files), runs.together):
        some = files[first : first + runs.together]
        window = np.concatenate([np.arange(starts[file], starts[file] + lengths[file]) for file in some])
        found[at : at + len(window)] = rng.permutation(window)
        at += len(window)
    return found
