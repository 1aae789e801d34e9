"""The VQA readout: a linear classifier over the training answers, taught soft targets.

Three forms. `decoder` is SimVLM's (arXiv 2108.10904, appendix B.2): picture to the encoder, question to the decoder,
classify the last question token. `fused` pools tokens that saw each other; `vectors` sees two vectors and their
product.
Axes: B batch, T tokens, D width, E joint width, A answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone, Visible
from vlpbench.contract.objective import Objective
from vlpbench.parts import masked_mean, pooled_pair
from vlpbench.types import Batch, Spec, Step

__all__ = ["NEEDS", "Answering", "AnsweringConfig", "Form"]

Form = Literal["decoder", "fused", "vectors"]

NEEDS: Mapping[Form, frozenset[str]] = {
    "decoder": frozenset({"context", "decode"}),
    "fused": frozenset({"fused_tokens"}),
    "vectors": frozenset({"image_vector", "text_vector"}),
}


@dataclass(frozen=True)
class AnsweringConfig:
    """How the readout is built."""

    answers: int = 1
    """A, answers that can be given."""
    form: Form = "decoder"
    """Where the features come from."""
    visible: Visible = "all"
    """Who sees whom in the context, as pretraining had it."""


class Answering(Objective):
    """Cross-entropy with the answers' soft scores, made to sum to one, as the target distribution.

    A question none of whose answers can be given adds nothing. SimVLM does not say which loss its classifier has; the
    usual sum of binary cross-entropies (arXiv 1708.02711) first has to learn that almost all answers are wrong, which
    takes most of a short fine-tune.
    """

    name, config_class, wants = "answering", AnsweringConfig, ("targets",)

    def __init__(self, config: AnsweringConfig, spec: Spec) -> None:
        super().__init__(config, spec)
        width = {"decoder": spec.width, "fused": 2 * spec.width, "vectors": 3 * spec.joint_width}[config.form]
        self.norm = nn.LayerNorm(width)
        self.classify = nn.Linear(width, config.answers)

    @classmethod
    def needs_with(cls, config: AnsweringConfig) -> frozenset[str]:
        """By the form."""
        return NEEDS[config.form]

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: AnsweringConfig) -> Mapping[str, Any]:
        """inputs (B, T): BOS, then the question's words; last (B): where its last word stands."""
        inputs = np.roll(batch.tokens, 1, axis=1)
        inputs[:, 0] = batch.vocabulary.bos
        return {"inputs": inputs, "last": batch.mask.sum(1) - 1}

    def start_from_words(self, backbone: Backbone, tokens: Tensor, mask: Tensor) -> None:
        """Let each answer's row of the classifier start as the mean vector of its words (tokens, mask: A, L).

        Decoder features are what the tied word table turns into words, so an answer's words are where it should start;
        other forms have no such bond with the word table and start as they were drawn.
        """
        if self.config.form == "decoder":
            with torch.no_grad():
                self.classify.weight.copy_(masked_mean(backbone.word_vectors(tokens), mask))
                self.classify.bias.zero_()

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """features (B, D or 2D or 3E): what the classifier sees."""
        return {"features": getattr(self, f"_{self.config.form}")(backbone, batch)}

    def _decoder(self, backbone: Backbone, batch: Batch) -> Tensor:
        context = backbone.context(batch.image, None, self.config.visible)
        features = backbone.decode(context, backbone.read(batch["inputs"], batch.mask))
        return features[torch.arange(len(features), device=features.device), batch["last"]]

    def _fused(self, backbone: Backbone, batch: Batch) -> Tensor:
        image, text = backbone.fused_tokens(batch.image, batch.text)
        return pooled_pair(image, text, batch.mask)

    def _vectors(self, backbone: Backbone, batch: Batch) -> Tensor:
        image, text = backbone.image_vector(batch.image), backbone.text_vector(batch.text)
        return torch.cat([image, text, image * text], -1)

    def logits(self, features: Mapping[str, Tensor]) -> Tensor:
        """B, A: log-odds of each answer."""
        return self.classify(self.norm(features["features"]))

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """-sum_a target_a log P(a) (B), nats."""
        scores = batch["targets"]
        targets = scores / scores.sum(1, keepdim=True).clamp_min(1e-6)
        return Step(-(targets * self.logits(features).log_softmax(1)).sum(1))
