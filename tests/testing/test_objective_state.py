"""State that is written anywhere but in `after_step`, or lost in a checkpoint."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import normalize

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.plugin import Objective, Step


class Queue(Objective):
    """MoCo (arXiv 1911.05722) from pictures to texts: negatives are the teacher's vectors of earlier steps."""

    name, teacher = "queue", 0.9
    needs, trains = frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.register_buffer("rows", normalize(torch.randn(16, spec.joint_width), dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def encode(self, backbone, batch):
        text = backbone.text_vector(batch.text)
        calm = backbone.teacher.text_vector(batch.text)
        return {"image": backbone.image_vector(batch.image), "text": text, "calm": calm}

    def loss(self, features, batch):
        image, calm = features["image"], features["calm"]
        own = (image * calm).sum(1, keepdim=True)
        logits = torch.cat([own, image @ self.rows.clone().T], 1) / 0.1
        near = 1 - (features["text"] * calm).sum(1)
        return Step(near - logits.log_softmax(1)[:, 0], {"own": own.detach().mean()}, {"calm": calm})

    def after_step(self, carry):
        at = (self.place + torch.arange(len(carry["calm"]))) % len(self.rows)
        self.rows[at] = carry["calm"]
        self.place.copy_((self.place + len(carry["calm"])) % len(self.rows))


class QueueInLoss(Queue):
    """The queue is written while the loss is computed."""

    name = "queue-in-loss"

    def loss(self, features, batch):
        step = super().loss(features, batch)
        with torch.no_grad():
            self.rows[: len(batch)] = features["calm"]
        return step


class Counting(Contrastive):
    """The temperature depends on how often the loss was asked for."""

    name = "counting"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.calls = 0

    def loss(self, features, batch):
        self.calls += 1
        return super().loss(features, batch)


class RunningMean(Contrastive):
    """Running statistics in training mode."""

    name = "running-mean"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.norm = nn.BatchNorm1d(spec.joint_width)

    def encode(self, backbone, batch):
        features = super().encode(backbone, batch)
        return {**features, "image": self.norm(features["image"])}


class SharedMemory(Contrastive):
    """State in a class attribute."""

    name = "shared-memory"
    seen: list[float] = []

    def loss(self, features, batch):
        step = super().loss(features, batch)
        self.seen.append(float(step.losses.detach().mean()))
        return step


WRONG = {
    "no-state-written-in-loss": (QueueInLoss, Counting, RunningMean, SharedMemory),
}

RIGHT = (Queue,)


def test_a_wrong_objective_fails_the_right_check(wrong, failure):
    found = failure(*wrong)
    assert found.check == wrong[0]
    assert found.cause and found.remedy


def test_a_right_objective_passes_all_checks(right, failures):
    assert failures(right) == ""
