"""Losses and figures that are no numbers."""

from __future__ import annotations

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.plugin import Step


class Standardised(Contrastive):
    """Losses are divided by the batch's deviation: NaN for one sample."""

    name = "standardised"

    def loss(self, features, batch):
        losses = super().loss(features, batch).losses
        return Step(losses / losses.detach().std())


class OthersOnly(Contrastive):
    """The mean over the others, of whom there are none."""

    name = "others-only"

    def loss(self, features, batch):
        step = super().loss(features, batch)
        odds = features["image"] @ features["text"].T
        others = (odds.sum(1) - odds.diagonal()) / (len(batch) - 1)
        return Step(step.losses + others)


class NormOfSpread(Contrastive):
    """The loss of one sample is finite, but its gradient is not."""

    name = "norm-of-spread"

    def loss(self, features, batch):
        step = super().loss(features, batch)
        spread = (features["image"] - features["image"].mean(0)).square().sum().sqrt()
        return Step(step.losses - 0.01 * spread)


WRONG = {
    "batch-of-one": (Standardised, OthersOnly, NormOfSpread),
}


def test_a_wrong_objective_fails_the_right_check(wrong, failure):
    found = failure(*wrong)
    assert found.check == wrong[0]
    assert found.cause and found.remedy
