"""Pairs of a picture and a text in groups of one picture, whose texts look at it side by side: nothing is copied.

Axes: N pairs, G groups, C places of a group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Groups"]

SPARE = 0.05
"""Share of the pairs that may be judged in vain, in places that no pair fills."""


@dataclass(frozen=True)
class Groups:
    """As many texts of one picture as there are places; what is left over says a text of its group again."""

    picture: np.ndarray
    """G."""
    texts: np.ndarray
    """G, C."""
    place: np.ndarray
    """N: where each pair went, among G*C."""

    @classmethod
    def of(cls, pairs: np.ndarray, most: int) -> Groups:
        """Groups of `pairs` (N, 2: picture, text; in any order), as large as pays, `most` places at most."""
        order = np.argsort(pairs[:, 0], kind="stable")
        pictures, many = np.unique(pairs[:, 0], return_counts=True)
        wide = _wide(many, most)
        groups = -(-many // wide)
        rank = np.arange(len(pairs)) - np.repeat(np.cumsum(many) - many, many)  # among those of one picture
        first = np.repeat(np.cumsum(groups) - groups, many)
        place = np.empty(len(pairs), np.int64)
        place[order] = (first + rank // wide) * wide + rank % wide
        texts = np.full((int(groups.sum()), wide), -1, np.int64)
        texts.flat[place] = pairs[:, 1]
        return cls(np.repeat(pictures, groups), np.where(texts < 0, texts[:, :1], texts), place)


def _wide(many: np.ndarray, most: int) -> int:
    """The most places a group that leave few empty: a power of two, 1 at least."""
    wide = 1 << (max(1, min(most, int(many.max(initial=1)))).bit_length() - 1)
    while wide > 1 and (-(-many // wide) * wide).sum() > (1 + SPARE) * many.sum():
        wide //= 2
    return wide
