"""Given the picture and the first words, say the rest (SimVLM, arXiv 2108.10904, section 3.1).

The prefix length is uniform over {0, .., n-1} for a text of n tokens beside a picture and over {1, .., n-1} for a text
alone, drawn per sample, counted in tokens; end of sentence is a target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from vlpbench.plugin import Backbone, Batch, Objective, Step

__all__ = ["Config", "PrefixLM"]


@dataclass(frozen=True)
class Config:
    """Settings of `[objective.prefix-lm]`."""

    shortest: int = 1
    """Tokens of the shortest prefix of a text without a picture (T5's random prefix starts at 1)."""

    def __post_init__(self) -> None:
        if self.shortest < 0:
            raise ValueError(f"shortest is a number of tokens, not {self.shortest}")


class PrefixLM(Objective):
    """-sum_t log P(x_t | picture, x_<t) over the words after a random prefix that is read in both directions."""

    name, version, config_class = "prefix-lm", 1, Config
    needs = frozenset({"context", "decode"})
    uses, trains = frozenset({"pairs", "texts"}), frozenset({"decode"})
    cites = ("wang2022simvlm",)

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """known (B, T): the prefix; inputs, targets, said (B, T): what the decoder reads, should say, and where."""
        words = batch.mask.sum(1)  # B, end of sentence included
        least = 0 if batch.has_image else config.shortest
        prefix = rng.integers(np.minimum(least, words - 1), words)[:, None]  # at least one word is left to say
        at = np.arange(batch.tokens.shape[1])[None]
        targets = np.take_along_axis(batch.tokens, np.minimum(at + prefix, at.max()), 1)
        inputs = np.roll(targets, 1, axis=1)
        inputs[:, 0] = batch.vocabulary.bos
        said = at + prefix < words[:, None]
        return {"known": at < prefix, "inputs": inputs, "targets": targets, "said": said, "count": said.sum(1)}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """nll (B, T): nats for each target."""
        context = backbone.context(batch.image, backbone.read(batch.tokens, batch["known"]))
        features = backbone.decode(context, backbone.read(batch["inputs"], batch["said"]))
        return {"nll": backbone.token_losses(features, batch["targets"])}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The sum over the words that are said (B)."""
        return Step((features["nll"] * batch["said"]).sum(1))
