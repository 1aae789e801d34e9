"""Given the picture and the first part of a text, say the rest; the part is the same share of every text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from vlpbench.plugin import Backbone, Batch, Objective, Step, hookimpl


@dataclass(frozen=True)
class Config:
    """The keys of `[objective.example-objective]`."""

    known: float = 0.5
    """Share of a text's tokens that is given, 0 to 1, rounded down; at least the last token is left to be said."""


class ExampleObjective(Objective):
    """A language model of the second part of a text, given the picture and the first part."""

    name, config_class = "example-objective", Config
    api_version = 1  # the plugin contract it was written for
    version = 1  # raise it whenever the same settings give other numbers
    needs = frozenset({"context", "decode"})  # abilities of the backbone that `encode` calls
    trains = frozenset({"decode"})  # what a zero-shot task may rely on afterwards

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """B, T each: which tokens are `known`, the decoder's `inputs`, its `targets`, and which of them are `said`."""
        words = batch.mask.sum(1)[:, None]
        given = np.minimum((config.known * words).astype(np.int64), words - 1)
        at = np.arange(batch.tokens.shape[1])[None]
        targets = np.take_along_axis(batch.tokens, np.minimum(at + given, at.max()), axis=1)
        inputs = np.roll(targets, 1, axis=1)
        inputs[:, 0] = batch.vocabulary.bos
        said = at + given < words
        return {"known": at < given, "inputs": inputs, "targets": targets, "said": said, "count": said.sum(1)}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """Every call of the backbone: -log P of each target (B, T), in nats."""
        context = backbone.context(batch.image, backbone.read(batch.tokens, batch["known"]))
        features = backbone.decode(context, backbone.read(batch["inputs"], batch["said"]))
        return {"nll": backbone.token_losses(features, batch["targets"])}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The formula: the sum over the words to be said, for each sample (B)."""
        return Step((features["nll"] * batch["said"]).sum(1))


@hookimpl
def vlpbench_objectives() -> Sequence[type[Objective]]:
    """What this plugin brings."""
    return [ExampleObjective]
