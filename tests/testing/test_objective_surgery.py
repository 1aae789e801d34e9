"""Chance that comes from anywhere but the generator that `corrupt` is given."""

from __future__ import annotations

import random

import numpy as np
import torch

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.masked_lm import MaskedLM
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.plugin import Step


class NumpyChance(PrefixLM):
    """The prefix is drawn from numpy's shared generator."""

    name = "numpy-chance"

    @staticmethod
    def corrupt(batch, rng, config):
        return PrefixLM.corrupt(batch, np.random.default_rng(np.random.randint(1 << 30)), config)


class PythonChance(MaskedLM):
    """The holes are drawn from Python's shared generator."""

    name = "python-chance"

    @staticmethod
    def corrupt(batch, rng, config):
        return MaskedLM.corrupt(batch, np.random.default_rng(random.getrandbits(32)), config)


class TorchChance(Contrastive):
    """Noise from torch's shared generator."""

    name = "torch-chance"

    def loss(self, features, batch):
        step = super().loss(features, batch)
        return Step(step.losses * (0.5 + torch.rand(len(batch))))


class Reseeding(Contrastive):
    """Seeds torch, so that everybody's dropout is the same each step."""

    name = "reseeding"

    def encode(self, backbone, batch):
        torch.manual_seed(0)
        return super().encode(backbone, batch)


class TrainingNoise(Contrastive):
    """Noise that is drawn only while training."""

    name = "training-noise"

    def encode(self, backbone, batch):
        features = super().encode(backbone, batch)
        noise = torch.randn_like(features["image"]) * 0.1 if self.training else 0.0
        return {**features, "image": features["image"] + noise}


WRONG = {
    "no-global-randomness": (NumpyChance, PythonChance, TorchChance, Reseeding, TrainingNoise),
}


def test_a_wrong_objective_fails_the_right_check(wrong, failure):
    found = failure(*wrong)
    assert found.check == wrong[0]
    assert found.cause and found.remedy
