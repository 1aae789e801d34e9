"""A teacher sees with its own weights, says nothing that can be trained through, and follows the backbone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from vlpbench.backbones import Conv2, EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.contract.objective import Objective
from vlpbench.training.build import Blueprint
from vlpbench.training.learner import Learner, Term
from vlpbench.types import Batch, Step, Vocabulary


class Taught(Objective):
    """The student's vectors should be the teacher's."""

    name, needs, teacher = "taught", frozenset({"image_vector", "text_vector"}), 0.75

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"mine": backbone.image_vector(batch.image), "its": backbone.teacher.image_vector(batch.image)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(1 - (features["mine"] * features["its"]).sum(1))


class Untaught(Taught):
    name, teacher = "untaught", None


@pytest.fixture
def learner() -> Learner:
    vocabulary = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
    backbone = Blueprint(Conv2, "", EncoderDecoder, SIZES["nano"], 32, vocabulary, 6, 0).build(
        {*Taught.needs, "context", "decode", "fused_tokens"}
    )
    return Learner(backbone, [Term(1.0, one(one.config_class(), backbone.spec)) for one in (Taught, Untaught)])


def test_it_starts_as_the_backbone_and_sees_with_its_own_weights(learner: Learner) -> None:
    learner.objective("taught")
    backbone = learner.eval().backbone
    image = backbone.see(torch.randn(3, 3, 32, 32))
    mine, its = backbone.image_vector(image), backbone.teacher.image_vector(image)
    torch.testing.assert_close(mine, its)
    assert mine.requires_grad and not its.requires_grad and its is not mine
    with torch.no_grad():
        backbone.image_head.linear.weight.mul_(-1)
    again = backbone.see(image.images)
    torch.testing.assert_close(backbone.teacher.image_vector(again), its)
    torch.testing.assert_close(backbone.image_vector(again), -mine)


def test_its_products_are_kept_with_the_students_states(learner: Learner) -> None:
    learner.objective("taught")
    backbone, calls = learner.backbone, []
    learner.teachers["0_75"].stem.register_forward_hook(lambda *_: calls.append(1))
    image = backbone.see(torch.randn(3, 3, 32, 32))
    whole = backbone.teacher.image_tokens(image)
    some = backbone.teacher.image_tokens(image.rows(torch.tensor([2, 0])))
    assert calls == [1]
    torch.testing.assert_close(some, whole[[2, 0]])


def test_every_ability_can_be_asked(learner: Learner) -> None:
    learner.objective("taught")
    backbone = learner.eval().backbone
    image = backbone.see(torch.randn(2, 3, 32, 32))
    text = backbone.read(torch.randint(7, 60, (2, 5)), torch.ones(2, 5, dtype=torch.bool))
    ask = backbone.teacher
    features = ask.decode(ask.context(image, text), text)
    expected = backbone.logits(backbone.decode(backbone.context(image, text), text))
    torch.testing.assert_close(ask.logits(features), expected)
    torch.testing.assert_close(ask.fused_tokens(image, text)[1], backbone.fused_tokens(image, text)[1])
    torch.testing.assert_close(ask.text_vector(text), backbone.text_vector(text))
    torch.testing.assert_close(ask.text_tokens(text), backbone.text_tokens(text))
    assert not features.requires_grad


def test_it_follows_a_moving_average_and_copies_statistics(learner: Learner) -> None:
    average, backbone = learner.teachers["0_75"], learner.backbone
    before = {name: value.clone() for name, value in average.named_parameters()}
    with torch.no_grad():
        for value in backbone.parameters():
            value.add_(1.0)
        for value in backbone.buffers():
            value.add_(1)
    learner.follow()
    for name, value in average.named_parameters():
        torch.testing.assert_close(value, before[name] + 0.25)
    for mine, its in zip(backbone.buffers(), average.buffers(), strict=True):
        assert torch.equal(mine, its)


def test_it_never_trains(learner: Learner) -> None:
    learner.train()
    assert learner.backbone.training and not learner.teachers["0_75"].training
    assert not any(value.requires_grad for value in learner.teachers.parameters())


def test_who_did_not_ask_has_none(learner: Learner) -> None:
    learner.objective("taught")
    assert learner.backbone.teacher is not None
    learner.objective("untaught")
    with pytest.raises(RuntimeError, match="declare its decay"):
        _ = learner.backbone.teacher
