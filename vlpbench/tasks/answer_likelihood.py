"""What a decoder is taught to answer questions in words: the likelihood of an answer, given picture and question.

Axes: B batch, K given answers of a question, T tokens of the question, L of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Visible
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import fitting
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.tasks.task import DECODING
from vlpbench.types import Batch, Step

__all__ = ["AnswerLikelihood", "LikelihoodConfig", "answer_fields"]


@dataclass(frozen=True)
class LikelihoodConfig:
    """How the question is read."""

    visible: Visible = "all"
    """Who sees whom in the context, as pretraining had it."""


class AnswerLikelihood(Objective):
    """-log P(answer, end | picture, question), the question a prefix, the answer drawn by what it is worth.

    ALBEF and BLIP (arXiv 2107.07651, 2201.12086) add up the losses of all given answers, each weighted by the share of
    people who gave it. Here one answer a step is drawn with its soft score's share, which has that sum as its
    expectation and costs one decode a question. A question without any answer that is worth something adds nothing.
    """

    name, config_class, needs = "answer-likelihood", LikelihoodConfig, DECODING
    wants = ("answer_tokens", "answer_lengths", "answer_worth")

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: LikelihoodConfig) -> Mapping[str, Any]:
        """asked (B, T): the question's words without its end, as prefixes are in pretraining; inputs, targets (B, L):
        the answer behind BOS, and with its end; said (B, L): where it has words.
        """
        worth = np.asarray(batch["answer_worth"], np.float64).cumsum(1)  # B, K
        draw = rng.random(len(worth)) * worth[:, -1]
        chosen = np.minimum((worth <= draw[:, None]).sum(1), worth.shape[1] - 1)
        rows = np.arange(len(worth))
        targets = np.asarray(batch["answer_tokens"])[rows, chosen].astype(np.int64)
        inputs = np.roll(targets, 1, axis=1)
        inputs[:, 0] = batch.vocabulary.bos
        words = np.where(worth[:, -1] > 0, np.asarray(batch["answer_lengths"])[rows, chosen], 0)
        asked = batch.mask & (batch.tokens != batch.vocabulary.eos)
        said = np.arange(targets.shape[1]) < words[:, None]
        return {"asked": asked, "inputs": inputs, "targets": targets, "said": said}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """nll (B, L): nats for each word of the answer."""
        context = backbone.context(batch.image, backbone.read(batch.tokens, batch["asked"]), self.config.visible)
        features = backbone.decode(context, backbone.read(batch["inputs"], batch["said"]))
        return {"nll": backbone.token_losses(features, batch["targets"])}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The sum over the answer's words (B), nats; a mean over questions, not over words."""
        return Step((features["nll"] * batch["said"]).sum(1))


def answer_fields(
    worth: Sequence[Mapping[str, float]], tokenizer: Tokenizer, length: int
) -> dict[str, np.ndarray]:
    """Fields of N examples from each one's answers and what they are worth: tokens (N, K, L), lengths and worth (N, K).

    K is the most that any question has; what fills up is worth nothing.
    """
    known = list(dict.fromkeys(answer for each in worth for answer in each)) or [""]
    place = {answer: at for at, answer in enumerate(known)}
    table, mask = tokenizer.encode(known, fitting(known, tokenizer, length))
    most = max((len(each) for each in worth), default=0) or 1
    which, scores = np.zeros((len(worth), most), np.int64), np.zeros((len(worth), most), np.float32)
    for at, each in enumerate(worth):
        which[at, : len(each)] = [place[answer] for answer in each]
        scores[at, : len(each)] = list(each.values())
    return {
        "answer_tokens": table.astype(np.int32)[which],
        "answer_lengths": mask.sum(1)[which],
        "answer_worth": scores,
    }
