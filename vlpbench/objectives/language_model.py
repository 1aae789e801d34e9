"""Say every word, from the picture and the words before it (the naive LM of SimVLM's ablation, arXiv 2108.10904).

In an encoder-decoder the picture stands in the encoder and the whole text in the decoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from vlpbench.plugin import Backbone, Batch, Objective, Step, Visible

__all__ = ["Config", "LanguageModel"]


@dataclass(frozen=True)
class Config:
    """Settings of `[objective.language-model]`."""

    visible: Visible = "causal"
    """Who sees whom: "causal", image tokens in raster order included, or "causal-text", or "all" (captioning)."""


class LanguageModel(Objective):
    """-sum_t log P(x_t | picture, x_<t) over all words, end of sentence included."""

    name, version, config_class = "language-model", 1, Config
    needs = frozenset({"context", "decode"})
    uses, trains = frozenset({"pairs", "texts"}), frozenset({"decode"})
    cites = ("wang2022simvlm",)

    @classmethod
    def visible_with(cls, config: Config) -> Visible:
        """As its settings say."""
        return config.visible

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """inputs (B, T): the text moved one place to the right, BOS first; nothing (B, 1): a prefix without a word."""
        inputs = np.roll(batch.tokens, 1, axis=1)
        inputs[:, 0] = batch.vocabulary.bos
        return {"inputs": inputs, "nothing": np.zeros_like(batch.mask[:, :1]), "count": batch.mask.sum(1)}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """nll (B, T): nats for each word."""
        prefix = None if batch.has_image else backbone.read(batch.tokens[:, :1], batch["nothing"])
        context = backbone.context(batch.image, prefix, self.config.visible)
        features = backbone.decode(context, backbone.read(batch["inputs"], batch.mask))
        return {"nll": backbone.token_losses(features, batch.tokens)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The sum over all words (B)."""
        return Step((features["nll"] * batch.mask).sum(1))
