"""Given the picture and the other words, say the hidden ones (masked LM of BERT, arXiv 1810.04805, section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vlpbench.plugin import Backbone, Batch, Objective, Spec, Step, Vocabulary

__all__ = ["Config", "MaskedLM"]


@dataclass(frozen=True)
class Config:
    """Settings of `[objective.masked-lm]`."""

    rate: float = 0.15
    """Share of a text's words that must be said, rounded, half to even; at least one of them, never its end."""
    masked: float = 0.8
    """Of these, the share that is replaced by the mask token."""
    swapped: float = 0.1
    """Of these, the share that is replaced by a random word; the rest stays as it is."""
    transform: bool = True
    """Whether a linear layer, GELU and a norm stand before the word table (BERT's head), or features are read as they
    are; with it, the features that tasks read afterwards need not be words."""

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate is a share above 0 and at most 1, not {self.rate}")
        if min(self.masked, self.swapped) < 0 or self.masked + self.swapped > 1:
            raise ValueError(f"masked and swapped are shares of one whole, not {self.masked} and {self.swapped}")


class MaskedLM(Objective):
    """-sum_t log P(x_t | picture, corrupted text) over the hidden places t; the picture stays whole."""

    name, version, config_class = "masked-lm", 1, Config
    needs, uses = frozenset({"fused_tokens", "text_tokens"}), frozenset({"pairs", "texts"})
    cites = ("devlin2019bert",)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        head = [nn.Linear(spec.width, spec.width), nn.GELU(), nn.LayerNorm(spec.width)] if config.transform else []
        self.head = nn.Sequential(*head)

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """corrupted (B, T): the text; places, targets, said (B, K): where to speak, what to say, and whether at all.

        K is the number of hidden places in a text of T tokens, so that the word table is asked K times a row, not T.
        """
        words = batch.mask.sum(1) - 1  # B, end of sentence excluded
        many = np.minimum(np.maximum(np.rint(config.rate * words), 1), words)[:, None]
        most = max(1, round(config.rate * (batch.tokens.shape[1] - 1)))
        at = np.arange(batch.tokens.shape[1])[None]
        chance = np.where(at < words[:, None], rng.random(batch.tokens.shape), 2.0)
        places = chance.argsort(1)[:, :most]  # words come first, in random order
        said = np.arange(most)[None] < many
        targets = np.take_along_axis(batch.tokens, places, 1)
        fate, ordinary = rng.random(places.shape), _ordinary(batch.vocabulary)
        swapped = np.where(fate < config.masked + config.swapped, rng.choice(ordinary, places.shape), targets)
        written = np.where(fate < config.masked, batch.vocabulary.mask, swapped)
        corrupted = batch.tokens.copy()
        np.put_along_axis(corrupted, places, np.where(said, written, targets), 1)
        return {"corrupted": corrupted, "places": places, "targets": targets, "said": said, "count": said.sum(1)}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """nll (B, K): nats for each hidden word."""
        text = backbone.read(batch["corrupted"], batch.mask)
        tokens = backbone.fused_tokens(batch.image, text)[1] if batch.has_image else backbone.text_tokens(text)
        hidden = torch.take_along_dim(tokens, batch["places"][..., None], 1)
        return {"nll": backbone.token_losses(self.head(hidden), batch["targets"])}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The sum over the hidden words (B)."""
        return Step((features["nll"] * batch["said"]).sum(1))


def _ordinary(vocabulary: Vocabulary) -> Any:
    """The ids that are words."""
    return np.setdiff1d(np.arange(vocabulary.size), list(vocabulary.special))
