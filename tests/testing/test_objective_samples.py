"""Losses that depend on padding, on order, or on other samples."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from vlpbench.objectives.language_model import LanguageModel
from vlpbench.plugin import Objective, Step

VECTORS = frozenset({"image_vector", "text_vector"})


class MeanOverPlaces(LanguageModel):
    """The mean over T, padding included."""

    name = "mean-over-places"

    def loss(self, features, batch):
        return Step((features["nll"] * batch.mask).mean(1))


class PaddingSaid(LanguageModel):
    """Padding is a target."""

    name = "padding-said"

    def loss(self, features, batch):
        return Step(features["nll"].sum(1))


class PaddingSeen(Objective):
    """Padding is read as if it were words."""

    name, needs, coupled = "padding-seen", VECTORS, "all"

    def encode(self, backbone, batch):
        text = backbone.read(batch.tokens, torch.ones_like(batch.mask))
        return {"image": backbone.image_vector(batch.image), "text": backbone.text_vector(text)}

    def loss(self, features, batch):
        odds = features["image"] @ features["text"].T / 0.1
        return Step(cross_entropy(odds, torch.arange(len(batch)), reduction="none"))


WRONG = {
    "not-pad-sensitive": (MeanOverPlaces, PaddingSaid, PaddingSeen),
}


def test_a_wrong_objective_fails_the_right_check(wrong, failure):
    found = failure(*wrong)
    assert found.check == wrong[0]
    assert found.cause and found.remedy
