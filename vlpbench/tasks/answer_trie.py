"""A list of sentences as a tree of their first words, so that what several begin with is read once.

Axes: A answers, L words of an answer, E nodes of the tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["AnswerTrie", "Level"]


@dataclass(frozen=True)
class Level:
    """The distinct beginnings of one length, in the order of their words; each is a node of the tree."""

    word: np.ndarray
    """The last word of each."""
    parent: np.ndarray
    """Which node of the level above each goes on from; 0, the root, at the first level."""
    inner: np.ndarray
    """Whether any answer goes on from it."""
    first: int
    """The number of its first node, over all levels."""


@dataclass(frozen=True)
class AnswerTrie:
    """Sentences as paths from the root; the root itself is no node."""

    levels: list[Level]
    """By length, from 1 on."""
    paths: np.ndarray
    """A, L: the nodes of each answer; E, one past the last, where it has no word."""

    @classmethod
    def of(cls, tokens: np.ndarray, mask: np.ndarray) -> AnswerTrie:
        """The tree of `tokens` (A, L) where `mask` (A, L) says that words are, right-padded."""
        paths = np.full(tokens.shape, -1)
        levels: list[Level] = []
        above, nodes = np.zeros(len(tokens), int), 0
        for at in range(tokens.shape[1]):
            there = mask[:, at].nonzero()[0]
            if not len(there):
                break
            pairs, which = np.unique(np.stack([above[there], tokens[there, at]], 1), axis=0, return_inverse=True)
            which = which.reshape(-1)
            inner = np.zeros(len(pairs), bool)
            if at + 1 < tokens.shape[1]:
                inner[which[mask[there, at + 1]]] = True
            levels.append(Level(pairs[:, 1], pairs[:, 0], inner, nodes))
            paths[there, at] = which + nodes
            above[there] = which
            nodes += len(pairs)
        return cls(levels, np.where(paths < 0, nodes, paths))

    @property
    def nodes(self) -> int:
        """E."""
        return self.levels[-1].first + len(self.levels[-1].word) if self.levels else 0

    def below(self, level: int, low: int, high: int) -> slice:
        """The nodes of a level whose parents are the nodes `low` to `high` of the level above."""
        parent = self.levels[level].parent
        return slice(int(np.searchsorted(parent, low)), int(np.searchsorted(parent, high)))
