"""A small real backbone and small batches: what every check plays with, and what an author may put others in place of.

Axes: B samples, T tokens, H pixels a side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vlpbench.backbones.sizes import SIZES
from vlpbench.backbones.stems import Linear
from vlpbench.contract.abilities import Backbone
from vlpbench.contract.wiring import Stem, Trunk
from vlpbench.training.build import Blueprint
from vlpbench.types import Batch, Vocabulary

__all__ = ["FIRST_WORD", "LENGTH", "PIXELS", "ROOM", "VOCABULARY", "tiny_backbone", "tiny_batches", "with_words"]

FIRST_WORD = 13
"""Ids from here on are words."""

VOCABULARY = Vocabulary(size=64, pad=0, bos=1, eos=2, unk=3, mask=4, sentinels=tuple(range(5, FIRST_WORD)))

PIXELS, LENGTH, ROOM = 16, 8, 13
"""H; T of the batches; T that the backbone has room for, so that texts can be padded further."""


def tiny_backbone(
    abilities: Iterable[str],
    trunk: type[Trunk],
    stem: type[Stem] = Linear,
    seed: int = 0,
    config: Any = None,
    pixels: int = PIXELS,
    vocabulary: Vocabulary = VOCABULARY,
) -> Backbone:
    """A nano backbone with these abilities, in evaluation mode, drawn by (seed, name of each parameter)."""
    plan = Blueprint(stem, "", trunk, SIZES["nano"], pixels, vocabulary, ROOM, seed, config)
    return plan.build(abilities).eval()


def tiny_batches(
    samples: int = 6,
    length: int = LENGTH,
    words: Sequence[int] | None = None,
    seed: int = 0,
    fields: Mapping[str, Any] | None = None,
    pixels: int = PIXELS,
    views: int = 1,
) -> dict[str, Batch]:
    """A batch of "pairs" and one of "texts" as numpy arrays, before `corrupt`: random pictures, words and lengths.

    A further view of a picture is the picture with some noise.

    `words` (B) are the tokens of each text, end of sentence included; by default from 3 to T. `fields` are arrays
    with one row a sample, for an objective that `wants` them.
    """
    made = {}
    for number, kind in enumerate(("pairs", "texts")):
        rng = np.random.default_rng((seed, number))
        drawn = rng.integers(3, length + 1, samples)
        drawn[: min(2, samples)] = (length, 3)[:samples]  # the longest and the shortest are always there
        lengths = drawn if words is None else np.asarray(words)
        mask = np.arange(length) < lengths[:, None]
        tokens = np.where(mask, rng.integers(FIRST_WORD, VOCABULARY.size, mask.shape), VOCABULARY.pad)
        tokens[np.arange(samples), lengths - 1] = VOCABULARY.eos
        ids = np.arange(samples) + 1000 * seed
        images = rng.standard_normal((samples, 3, pixels, pixels), dtype=np.float32) if kind == "pairs" else None
        noise = np.random.default_rng((seed, number, 1))
        others = tuple(
            images + 0.1 * noise.standard_normal(images.shape, dtype=np.float32)
            for _ in range(views - 1) if images is not None
        )
        shared, wanted = (tokens, mask, ids, ids + 100, np.float32(0.5), VOCABULARY), dict(fields or {})
        made[kind] = Batch(images, *shared, kind == "pairs", wanted, others=others)
    return made


def with_words(batch: Batch, at: int, seed: int = 0) -> Batch:
    """The same batch with another word at place `at` of every text that has an ordinary word there."""
    rng = np.random.default_rng((seed, at))
    tokens = np.array(batch.tokens)
    vocabulary = batch.vocabulary
    ordinary = np.setdiff1d(np.arange(vocabulary.size), list(vocabulary.special))
    there = batch.mask[:, at] & np.isin(tokens[:, at], ordinary)
    turn = rng.integers(1, len(ordinary), len(tokens))
    place = np.searchsorted(ordinary, np.where(there, tokens[:, at], ordinary[0]))
    tokens[:, at] = np.where(there, ordinary[(place + turn) % len(ordinary)], tokens[:, at])
    return replace(batch, tokens=tokens)
