"""Which examples a step sees, and which of their texts: a function of seed, stream and step.

Axes: P examples of a step, k texts that each brings.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vlpbench.data.lying import Runs, windowed_permutation
from vlpbench.streams import generator

__all__ = ["different", "drawn"]


def drawn(seed: int, stream: str, examples: int, start: int, end: int, runs: Runs | None = None) -> np.ndarray:
    """Places `start` to `end` of one source: whole epochs of permutations, cut without a seam.

    `runs` says which examples lie together in larger files, so that few files are read at a time.
    """
    epochs, within = np.divmod(np.arange(start, end), examples)
    found = np.empty(end - start, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        found[here] = _permutation(seed, stream, int(epoch), examples, runs)[within[here]]
    return found


def different(rng: np.random.Generator, many: np.ndarray, wanted: int, most: int) -> np.ndarray:
    """P, k: which of its `many` (P) texts each example brings, all of them equally likely and in an order by chance.

    They are different as far as there are so many; where there are fewer, all come once and then some again. `most` is
    the largest number of texts that any example has.
    """
    luck = rng.random((len(many), max(most, wanted)))
    luck[np.arange(luck.shape[1]) >= many[:, None]] += 1  # what is not there comes last
    once = np.argsort(luck, axis=1)[:, :wanted]
    again = (rng.random((len(many), wanted)) * many[:, None]).astype(np.int64)
    found: np.ndarray = np.where(np.arange(wanted) < many[:, None], once, again)
    return found


@lru_cache(maxsize=16)
def _permutation(seed: int, stream: str, epoch: int, examples: int, runs: Runs | None) -> np.ndarray:
    """N: the order of one epoch."""
    rng = generator(seed, f"order/{stream}", epoch)
    order: np.ndarray = rng.permutation(examples) if runs is None else windowed_permutation(rng, runs)
    return order
