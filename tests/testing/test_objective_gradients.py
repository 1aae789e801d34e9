"""Dead heads, and gradients through a teacher."""

from __future__ import annotations

import numpy as np
from torch import nn

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.plugin import Objective, Step


class Agreement(Objective):
    """The picture's vector follows the teacher's vector of the text, and the text's that of the picture."""

    name, teacher = "agreement", 0.9
    needs, trains = frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})

    def encode(self, backbone, batch):
        return {
            "image": backbone.image_vector(batch.image), "text": backbone.text_vector(batch.text),
            "calm_image": backbone.teacher.image_vector(batch.image),
            "calm_text": backbone.teacher.text_vector(batch.text),
        }

    def loss(self, features, batch):
        toward_text = (features["image"] - features["calm_text"]).square().sum(1)
        return Step(toward_text + (features["text"] - features["calm_image"]).square().sum(1))


class Denoise(Objective):
    """A text-only mean teacher's words: predict its features of the whole text from a text with holes."""

    name, teacher, uses = "denoise", 0.5, frozenset({"texts", "pairs"})
    needs = frozenset({"text_tokens"})

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Sequential(nn.Linear(spec.width, spec.width), nn.Dropout(0.1))

    @staticmethod
    def corrupt(batch, rng, config):
        holes = batch.mask & (rng.random(batch.mask.shape) < 0.4)
        return {"holed": np.where(holes, batch.vocabulary.mask, batch.tokens)}

    def encode(self, backbone, batch):
        said = self.head(backbone.text_tokens(backbone.read(batch["holed"], batch.mask)))
        return {"apart": (said - backbone.teacher.text_tokens(batch.text)).square().mean(2)}

    def loss(self, features, batch):
        weight = batch.mask / batch.mask.sum(1, keepdim=True)
        return Step((features["apart"] * weight).sum(1))


class UnusedHead(Contrastive):
    """A head that nobody asks."""

    name = "unused-head"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Linear(spec.width, 2)


class DetachedHead(PrefixLM):
    """A head whose answer is detached."""

    name = "detached-head"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.scale = nn.Linear(1, 1)

    def encode(self, backbone, batch):
        nll = super().encode(backbone, batch)["nll"]
        return {"nll": nll + self.scale(nll.detach()[..., None])[..., 0].detach()}


class ZeroTimesHead(Contrastive):
    """A head that is multiplied by zero."""

    name = "zero-times-head"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Linear(spec.joint_width, 1)

    def loss(self, features, batch):
        step = super().loss(features, batch)
        return Step(step.losses + 0.0 * self.head(features["image"])[:, 0])


class AroundTheTeacher(Agreement):
    """The average is asked itself, with gradient."""

    name = "around-the-teacher"

    def encode(self, backbone, batch):
        average = backbone.teacher.average
        calm = average.text_vector(average.read(batch.tokens, batch.mask))
        return {**super().encode(backbone, batch), "calm_text": calm}


class OpenedTeacher(Agreement):
    """The average is made to learn."""

    name = "opened-teacher"

    def encode(self, backbone, batch):
        backbone.teacher.average.requires_grad_(True)
        return super().encode(backbone, batch)


class TrainedMomentumHead(Agreement):
    """A momentum head of its own gets a gradient."""

    name = "trained-momentum-head"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Linear(spec.joint_width, spec.joint_width)
        self.momentum_head = nn.Linear(spec.joint_width, spec.joint_width)

    def encode(self, backbone, batch):
        made = super().encode(backbone, batch)
        return {**made, "image": self.head(made["image"]), "calm_text": self.momentum_head(made["calm_text"])}


class UndeclaredTeacher(Agreement):
    """A teacher is asked, but not declared."""

    name, teacher = "undeclared-teacher", None


class UnheardTeacher(Contrastive):
    """A teacher is declared, but not asked."""

    name, teacher = "unheard-teacher", 0.9


WRONG = {
    "no-dead-head": (UnusedHead, DetachedHead, ZeroTimesHead),
    "no-gradient-through-teacher": (
        AroundTheTeacher, OpenedTeacher, TrainedMomentumHead, UndeclaredTeacher, UnheardTeacher,
    ),
}

RIGHT = (Agreement, Denoise)


def test_a_wrong_objective_fails_the_right_check(wrong, failure):
    found = failure(*wrong)
    assert found.check == wrong[0]
    assert found.cause and found.remedy


def test_a_right_objective_passes_all_checks(right, failures):
    assert failures(right) == ""
