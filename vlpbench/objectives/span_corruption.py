"""Given the picture and a text with holes, say what stood in the holes (span corruption of T5, arXiv 1910.10683).

Spans lie at random on a circle of the text's words, turned by a random angle, so that every word is hidden equally
often however short the text is (T5's own masks put the one span of a caption at its end); a span that the circle's
seam cuts is two. Spans are numbered once, in text order: a sentinel stands for the same span wherever it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from vlpbench.plugin import Backbone, Batch, Objective, Spec, Step, Vocabulary

__all__ = ["Config", "SpanCorruption"]


@dataclass(frozen=True)
class Config:
    """Settings of `[objective.span-corruption]`."""

    rate: float = 0.15
    """Share of a text's words that are hidden, rounded, half to even; at least one is, and of two words one stays."""
    mean: float = 3.0
    """Words of a span, on average; the number of spans is rounded and limited by the sentinels and the kept words."""

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise ValueError(f"rate is a share between 0 and 1, not {self.rate}")
        if self.mean < 1:
            raise ValueError(f"mean is a number of words, at least 1, not {self.mean}")


class SpanCorruption(Objective):
    """-sum_t log P(y_t | picture, corrupted text, y_<t), y: each sentinel and the words behind it, end of sentence."""

    name, version, config_class = "span-corruption", 1, Config
    needs = frozenset({"context", "decode"})
    uses, trains = frozenset({"pairs", "texts"}), frozenset({"decode"})
    cites = ("raffel2020t5",)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if len(spec.vocabulary.sentinels) < 2:
            raise ValueError("span corruption needs a tokenizer with two sentinels or more; the seam may cut a span")

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """corrupted, present (B, T): the text with holes; inputs, targets, said (B, S): the decoder's part.

        S is the longest target that a text of T tokens can have, but at most T: a target loses its end only where
        spans fill the longest text with one word between them, or where T is 2.
        """
        words = batch.mask.sum(1)  # B, end of sentence included
        hidden = _hidden(words - 1, batch.tokens.shape[1], batch.vocabulary, rng, config)
        return _with_holes(batch, hidden, _longest(batch.tokens.shape[1], batch.vocabulary, config))

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """nll (B, S): nats for each target."""
        context = backbone.context(batch.image, backbone.read(batch["corrupted"], batch["present"]))
        features = backbone.decode(context, backbone.read(batch["inputs"], batch["said"]))
        return {"nll": backbone.token_losses(features, batch["targets"])}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The sum over sentinels, hidden words and end of sentence (B)."""
        return Step((features["nll"] * batch["said"]).sum(1))


def _amounts(n: Any, vocabulary: Vocabulary, config: Config) -> tuple[Any, Any]:
    """Of n words: how many are hidden, in how many spans before the seam cuts one."""
    noise = np.minimum(np.maximum(np.minimum(np.rint(config.rate * n), n - 1), 1), n).astype(int)
    most = np.minimum(n - noise, len(vocabulary.sentinels) - 1)  # between two spans stands a word
    return noise, np.maximum(np.minimum(np.rint(noise / config.mean).astype(int), most), 1)


def _longest(width: int, vocabulary: Vocabulary, config: Config) -> int:
    """S: a sentinel for each span and for the one that the seam may add, the hidden words, end of sentence."""
    noise, spans = _amounts(np.arange(width), vocabulary, config)
    return min(width, int((noise + spans + (noise > spans) + 1).max()))


def _hidden(n: Any, width: int, vocabulary: Vocabulary, rng: np.random.Generator, config: Config) -> Any:
    """B, T bool: which words are hidden."""
    noise, spans = _amounts(n, vocabulary, config)
    at = np.arange(width)[None]
    kept = (n - noise)[:, None]
    noise, spans = noise[:, None], spans[:, None]
    odd = np.where(at < noise, 2 * _cut(noise, spans, width, rng) + 1, 2 * width)
    even = np.where(at < kept, 2 * _cut(kept, spans, width, rng), 2 * width)
    circle = np.sort(np.concatenate([even, odd], 1), 1)[:, :width] % 2 == 1  # kept, hidden, kept, hidden, ..
    turned = (at + rng.integers(0, np.maximum(n, 1))[:, None]) % np.maximum(n, 1)[:, None]
    return np.take_along_axis(circle, turned, 1) & (at < n[:, None])


def _cut(many: Any, parts: Any, width: int, rng: np.random.Generator) -> Any:
    """B, T: the part to which each of `many` words (B, 1) belongs, all cuts into non-empty `parts` equally likely."""
    at = np.arange(width)[None]
    chance = np.where((at > 0) & (at < many), rng.random((len(many), width)), 2.0)
    return (chance.argsort(1).argsort(1) < parts - 1).cumsum(1)


def _with_holes(batch: Batch, hidden: Any, longest: int) -> Mapping[str, Any]:
    """The arrays of `corrupt` for these hidden words (B, T)."""
    vocabulary, width = batch.vocabulary, batch.tokens.shape[1]
    last = np.arange(width)[None] == batch.mask.sum(1, keepdims=True) - 1
    first = hidden & ~np.pad(hidden, ((0, 0), (1, 0)))[:, :-1]
    sentinels = np.asarray(vocabulary.sentinels)[np.maximum(first.cumsum(1) - 1, 0)]
    corrupted, present = _packed(
        np.where(first, sentinels, batch.tokens), batch.mask & (first | ~hidden), vocabulary.pad, width
    )
    both = np.stack([sentinels, batch.tokens], 2).reshape(len(hidden), -1)  # before each word, a place for a sentinel
    targets, said = _packed(both, np.stack([first, hidden | last], 2).reshape(both.shape), vocabulary.pad, longest)
    inputs = np.roll(targets, 1, axis=1)
    inputs[:, 0] = vocabulary.bos
    return {"corrupted": corrupted, "present": present, "inputs": inputs, "targets": targets, "said": said,
            "count": said.sum(1)}


def _packed(tokens: Any, keep: Any, pad: int, width: int) -> tuple[Any, Any]:
    """The tokens to keep, moved to the left in their order, and where they are (B, width)."""
    order = np.argsort(~keep, axis=1, kind="stable")[:, :width]
    there = np.take_along_axis(keep, order, 1)
    return np.where(there, np.take_along_axis(tokens, order, 1), pad), there
