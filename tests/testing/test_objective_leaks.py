"""An answer that is told before it is asked for is found, by whatever way it comes."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.image_text_matching import ImageTextMatching
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.masked_lm import MaskedLM
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.plugin import Objective, Step, parts


class Judge(Objective):
    """Whether the text is this picture's or that of the next sample; which of the two is shown is drawn."""

    name, needs, coupled = "judge", frozenset({"fused_tokens"}), 2

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Linear(spec.width, 1)

    @staticmethod
    def corrupt(batch, rng, config):
        return {"swap": rng.random(len(batch)) < 0.5}

    def encode(self, backbone, batch):
        own = torch.arange(len(batch))
        other = (own ^ 1).clamp_max(len(batch) - 1)
        tokens, _ = backbone.fused_tokens(batch.image, batch.text.rows(torch.where(batch["swap"], other, own)))
        return {"odds": self.head(tokens.mean(1))[:, 0]}

    def loss(self, features, batch):
        aims = (~batch["swap"]).float()
        return Step(binary_cross_entropy_with_logits(features["odds"], aims, reduction="none"))


class Unshifted(LanguageModel):
    """The decoder reads the word that it must say."""

    name = "unshifted"

    @staticmethod
    def corrupt(batch, rng, config):
        return {**LanguageModel.corrupt(batch, rng, config), "inputs": batch.tokens.copy()}


class ShiftedAhead(LanguageModel):
    """The text is moved to the wrong side."""

    name = "shifted-ahead"

    @staticmethod
    def corrupt(batch, rng, config):
        return {**LanguageModel.corrupt(batch, rng, config), "inputs": np.roll(batch.tokens, -1, axis=1)}


class BothWays(Objective):
    """A language model over a text that is read in both directions."""

    name, needs, uses = "both-ways", frozenset({"text_tokens"}), frozenset({"texts"})

    def encode(self, backbone, batch):
        tokens = backbone.text_tokens(batch.text)
        return {"nll": backbone.token_losses(tokens[:, :-1], batch.tokens[:, 1:])}

    def loss(self, features, batch):
        return Step((features["nll"] * batch.mask[:, 1:]).sum(1))


class BothWaysOwnHead(BothWays):
    """The same with word scores of its own."""

    name = "both-ways-own-head"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Linear(spec.width, spec.vocabulary.size)

    def encode(self, backbone, batch):
        return {"odds": self.head(backbone.text_tokens(batch.text))[:, :-1]}

    def loss(self, features, batch):
        nll = cross_entropy(features["odds"].flatten(0, 1), batch.tokens[:, 1:].flatten(), reduction="none")
        return Step((nll.view(len(batch), -1) * batch.mask[:, 1:]).sum(1))


class BothWaysInLoss(BothWaysOwnHead):
    """The same, the head standing in the formula."""

    name = "both-ways-in-loss"

    def encode(self, backbone, batch):
        return {"tokens": backbone.text_tokens(batch.text)[:, :-1]}

    def loss(self, features, batch):
        said = self.head(features["tokens"]).log_softmax(-1)
        nll = -said.gather(-1, batch.tokens[:, 1:, None])[..., 0]
        return Step((nll * batch.mask[:, 1:]).sum(1))


class MixedFeatures(LanguageModel):
    """Features of later places are mixed into earlier ones after decoding."""

    name = "mixed-features"

    def encode(self, backbone, batch):
        prefix = None if batch.has_image else backbone.read(batch.tokens[:, :1], batch["nothing"])
        context = backbone.context(batch.image, prefix, "all")
        features = backbone.decode(context, backbone.read(batch["inputs"], batch.mask))
        pooled = parts.masked_mean(features, batch.mask)[:, None]
        return {"nll": backbone.token_losses(features + pooled, batch.tokens)}


class WholePrefix(PrefixLM):
    """The context holds all words."""

    name = "whole-prefix"

    @staticmethod
    def corrupt(batch, rng, config):
        return {**PrefixLM.corrupt(batch, rng, config), "known": batch.mask.copy()}


class OneTooMany(PrefixLM):
    """The prefix holds the first word that must be said."""

    name = "one-too-many"

    @staticmethod
    def corrupt(batch, rng, config):
        made = dict(PrefixLM.corrupt(batch, rng, config))
        made["known"] = np.pad(made["known"], ((0, 0), (1, 0)), constant_values=True)[:, :-1]
        return made


class NothingHidden(MaskedLM):
    """The text is read as it was."""

    name = "nothing-hidden"

    def encode(self, backbone, batch):
        tokens = backbone.fused_tokens(batch.image, batch.text)[1] if batch.has_image else backbone.text_tokens(
            batch.text)
        hidden = torch.take_along_dim(tokens, batch["places"][..., None], 1)
        return {"nll": backbone.token_losses(self.head(hidden), batch["targets"])}


class LabelInHead(Judge):
    """The head is told what it must say."""

    name = "label-in-head"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Linear(spec.width + 1, 1)

    def encode(self, backbone, batch):
        own = torch.arange(len(batch))
        other = (own ^ 1).clamp_max(len(batch) - 1)
        tokens, _ = backbone.fused_tokens(batch.image, batch.text.rows(torch.where(batch["swap"], other, own)))
        told = torch.cat([tokens.mean(1), batch["swap"].float()[:, None]], 1)
        return {"odds": self.head(told)[:, 0]}


class MarkedText(Judge):
    """Mismatches can be told by a mark in their text."""

    name, coupled = "marked-text", None

    @staticmethod
    def corrupt(batch, rng, config):
        swap = rng.random(len(batch)) < 0.5
        tokens = np.where(swap[:, None], np.roll(batch.tokens, 1, 0), batch.tokens)
        tokens[swap, 0] = batch.vocabulary.mask
        mask = np.where(swap[:, None], np.roll(batch.mask, 1, 0), batch.mask)
        return {"swap": swap, "read": tokens, "present": mask}

    def encode(self, backbone, batch):
        tokens, _ = backbone.fused_tokens(batch.image, backbone.read(batch["read"], batch["present"]))
        return {"odds": self.head(tokens.mean(1))[:, 0]}


class RowNumber(Contrastive):
    """Picture and text carry the number of their row."""

    name = "row-number"

    def encode(self, backbone, batch):
        features = super().encode(backbone, batch)
        number = torch.eye(len(batch), features["image"].shape[1])
        return {key: (x + number) / 2 for key, x in features.items()}


class TwoHeads(Objective):
    """Matches and mismatches are judged by heads of their own."""

    name, needs, coupled = "two-heads", frozenset({"fused_tokens"}), 2

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.yes, self.no = nn.Linear(spec.width, 1), nn.Linear(spec.width, 1)

    def encode(self, backbone, batch):
        other = (torch.arange(len(batch)) ^ 1).clamp_max(len(batch) - 1)
        match = backbone.fused_tokens(batch.image, batch.text)[0].mean(1)
        mismatch = backbone.fused_tokens(batch.image, batch.text.rows(other))[0].mean(1)
        return {"match": self.yes(match)[:, 0], "mismatch": self.no(mismatch)[:, 0]}

    def loss(self, features, batch):
        match, mismatch = features["match"], features["mismatch"]
        right = binary_cross_entropy_with_logits(match, torch.ones_like(match), reduction="none")
        return Step(right + binary_cross_entropy_with_logits(mismatch, torch.zeros_like(match), reduction="none"))


class ToldFromTheStart(ImageTextMatching):
    """Log-odds carry the answer before anything is learnt."""

    name = "told-from-the-start"

    def encode(self, backbone, batch):
        log_odds = super().encode(backbone, batch)["log_odds"]
        return {"log_odds": 0.1 * log_odds + torch.tensor([3.0, -3.0, -3.0])}


WRONG = {
    "no-future-leak": (Unshifted, ShiftedAhead, BothWays, BothWaysOwnHead, BothWaysInLoss, MixedFeatures),
    "no-label-leak": (WholePrefix, OneTooMany, NothingHidden, LabelInHead, MarkedText, RowNumber, TwoHeads,
                      ToldFromTheStart),
}

RIGHT = (Judge,)


def test_a_wrong_objective_fails_the_right_check(wrong, failure):
    found = failure(*wrong)
    assert found.check == wrong[0]
    assert found.cause and found.remedy


def test_a_right_objective_passes_all_checks(right, failures):
    assert failures(right) == ""
