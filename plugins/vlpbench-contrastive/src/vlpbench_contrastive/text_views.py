"""Two changed copies of each text: one with hidden words, one with its words swapped or deleted. Numpy, on the host.

Axes: B texts, T tokens, K hidden places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vlpbench.plugin import Batch, Vocabulary

__all__ = ["hidden_words", "swapped_or_deleted"]

NO_WORD = 2.0
"""Above every uniform number: what is no word comes last in a random order."""


def hidden_words(
    batch: Batch, rng: np.random.Generator, rate: float, masked: float, swapped: float
) -> Mapping[str, Any]:
    """hidden (B, T): the text with some words replaced; places, targets, said (B, K): where, by what, and whether.

    `rate` of a text's words, rounded, at least one where there is any, never its end, must be told: a share `masked` of
    these is replaced by the mask token and a share `swapped` by a random word (BERT, arXiv 1810.04805, section 3.1).
    """
    chance, words = _chance(batch, rng)
    many = np.minimum(np.maximum(np.rint(rate * words), 1), words)
    most = max(1, round(rate * (batch.tokens.shape[1] - 1)))
    places = chance.argsort(1)[:, :most]
    said = np.arange(most) < many[:, None]
    targets = np.take_along_axis(batch.tokens, places, 1)
    fate = rng.random(places.shape)
    others = rng.choice(_ordinary(batch.vocabulary), places.shape)
    written = np.where(fate < masked, batch.vocabulary.mask, np.where(fate < masked + swapped, others, targets))
    hidden = batch.tokens.copy()
    np.put_along_axis(hidden, places, np.where(said, written, targets), 1)
    return {"hidden": hidden, "places": places, "targets": targets, "said": said}


def swapped_or_deleted(batch: Batch, rng: np.random.Generator, deleted: float) -> tuple[Any, Any]:
    """B, T ids and B, T bool: in half of the texts two words have changed places, from the others some are deleted.

    Two of the four operations of EDA (arXiv 1901.11196), on tokens: each token but the end is deleted with the chance
    `deleted`, yet one of a text's words stays. DeCLIP draws from three; the third asks a dictionary for a synonym.
    """
    swapped = _swapped(batch, rng)
    tokens, mask = _deleted(batch, rng, deleted)
    swaps = rng.random(len(batch))[:, None] < 0.5
    return np.where(swaps, swapped, tokens), np.where(swaps, batch.mask, mask)


def _swapped(batch: Batch, rng: np.random.Generator) -> Any:
    """Two words at random have changed places, where there are two."""
    chance, words = _chance(batch, rng)
    pair = chance.argsort(1)[:, :2]
    there = np.take_along_axis(batch.tokens, pair, 1)
    tokens = batch.tokens.copy()
    np.put_along_axis(tokens, pair, np.where(words[:, None] >= 2, there[:, ::-1], there), 1)
    return tokens


def _deleted(batch: Batch, rng: np.random.Generator, share: float) -> tuple[Any, Any]:
    """Words are gone with this chance, the one with the best chance stays, and what is left moves together."""
    chance, words = _chance(batch, rng)
    stays = (chance >= share) & (chance < NO_WORD)
    best = np.where(chance < NO_WORD, chance, -1.0).argmax(1)
    stays[np.arange(len(words)), best] = True  # a text without a word keeps its end
    stays[np.arange(len(words)), words] = True
    order = (~stays).argsort(1, kind="stable")
    mask = np.arange(batch.tokens.shape[1]) < stays.sum(1)[:, None]
    return np.where(mask, np.take_along_axis(batch.tokens, order, 1), batch.vocabulary.pad), mask


def _chance(batch: Batch, rng: np.random.Generator) -> tuple[Any, Any]:
    """A uniform number for each word, NO_WORD elsewhere (B, T), and how many words there are (B), the end excluded."""
    words = batch.mask.sum(1) - 1
    inside = np.arange(batch.tokens.shape[1]) < words[:, None]
    return np.where(inside, rng.random(inside.shape), NO_WORD), words


def _ordinary(vocabulary: Vocabulary) -> Any:
    """The ids that are words."""
    return np.setdiff1d(np.arange(vocabulary.size), list(vocabulary.special))
