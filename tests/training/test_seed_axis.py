"""Learners as one with a seed axis: each has the gradient, update, buffers and figures that it has alone."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vlpbench.backbones import Conv2, DecoderOnly, DualEncoder, DualFusion, EncoderDecoder, Linear
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import ImageSettings, Optim
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.loader import Loader, Surgery
from vlpbench.device import Device
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.image_text_matching import ImageTextMatching
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.masked_lm import MaskedLM
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.objectives.span_corruption import SpanCorruption
from vlpbench.training.build import Blueprint, draw
from vlpbench.training.fitting import Fitting
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.joint import StepBatches
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import train_step
from vlpbench.training.optimizer import make_optimizer
from vlpbench.training.seed_axis import SeedAxis, why_alone
from vlpbench.types import Batch, Step, Vocabulary

CPU, SEEDS, B = Device("cpu"), range(3), 6
VOCABULARY = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
SUMS: dict[str, tuple[Any, tuple[type[Objective], ...]]] = {
    "prefix-lm": (EncoderDecoder, (PrefixLM,)),
    "three terms, pairs and texts": (EncoderDecoder, (PrefixLM, Contrastive, LanguageModel)),
    "matching beside vectors": (DualFusion, (Contrastive, ImageTextMatching, MaskedLM)),
    "decoder-only": (DecoderOnly, (SpanCorruption, LanguageModel)),
    "two towers": (DualEncoder, (Contrastive,)),
}


class Taught(Objective):
    """Draws near its teacher, and keeps the last rows in a queue, which it puts another tensor in the place of."""

    name, needs, teacher = "taught", frozenset({"text_vector"}), 0.5

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.register_buffer("queue", torch.zeros(B, spec.joint_width))
        self.register_buffer("written", torch.zeros((), dtype=torch.long))

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"own": backbone.text_vector(batch.text), "far": backbone.teacher.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        own = features["own"]
        far = (own @ self.queue.T).mean(1)  # type: ignore[operator]
        return Step((own - features["far"]).pow(2).sum(1) + far, {"far": far.mean()}, {"rows": own})

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        self.queue = carry["rows"].clone()
        self.written += len(carry["rows"])


class Writes(Taught):
    """Writes its queue where the loss is computed."""

    name, teacher = "writes", None

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"own": backbone.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        self.seen = torch.zeros(B, features["own"].shape[1])
        self.seen[:] = features["own"].detach()
        return Step(features["own"].sum(1))


class Picks(Writes):
    """Indexes by a boolean mask."""

    name = "picks"

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        own = features["own"]
        return Step(own.sum(1) + own[own > 0].sum())


class Throws(Writes):
    """Draws numbers on the device."""

    name = "throws"

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step((features["own"] * torch.rand_like(features["own"])).sum(1))


class Asks(Writes):
    """Reads a number back."""

    name = "asks"

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["own"].sum(1) * features["own"].mean().item())


class Grows(Writes):
    """Has a buffer that becomes longer."""

    name = "grows"

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["own"].sum(1), {}, {"rows": features["own"]})

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        self.queue = torch.cat([self.queue, carry["rows"]])  # type: ignore[list-item]


class Breaks(Writes):
    """Fails by itself."""

    name = "breaks"

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        raise LookupError("no loss today. Nor tomorrow.")


def made(objectives: tuple[type[Objective], ...], trunk: Any, stem: Any = Linear, seed: int = 0) -> Learner:
    plan = Blueprint(stem, "", trunk, SIZES["nano"], 32, VOCABULARY, 6, seed)
    backbone = plan.build(frozenset().union(*(one.needs_with(one.config_class()) for one in objectives)))
    terms = []
    for one in objectives:
        objective = one(one.config_class(), backbone.spec)
        draw(objective, seed, prefix=f"objective/{one.name}/")
        terms.append(Term(1.0, objective))
    return Learner(backbone, terms).train()


@pytest.fixture
def batches(examples: Examples) -> Callable[..., list[StepBatches]]:
    """(objectives, step) -> the batches of each seed, texts too where a term uses them."""
    alone = dataclasses.replace(examples, pixels=np.zeros((0, 32, 32, 3), np.uint8))

    def make(objectives: tuple[type[Objective], ...], step: int = 0) -> list[StepBatches]:
        found: list[StepBatches] = []
        for seed in SEEDS:
            views: dict[str, Any] = {}
            for kind, source in (("pairs", examples), ("texts", alone)):
                terms = [one for one in objectives if kind in one.uses]
                surgeries = [Surgery(one.name, one.corrupt, one.config_class()) for one in terms]
                if terms:
                    loader = Loader(source, surgeries, VOCABULARY, ImageSettings(size=32), seed, B, 9, kind)
                    views |= loader.host(step).to(CPU.torch)
            found.append(views)
        return found

    return make


def gradients(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}


def assert_close(ours: Mapping[str, Tensor], alone: Mapping[str, Tensor], atol: float = 1e-5) -> None:
    assert ours.keys() == alone.keys()
    for name, value in alone.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-5, atol=atol, msg=lambda said, name=name: name + said)


@pytest.mark.parametrize("stem", [Linear, Conv2], ids=["linear", "conv2 with batch norm"])
@pytest.mark.parametrize("name", SUMS)
def test_each_has_the_gradient_and_the_buffers_that_it_has_alone(batches: Any, name: str, stem: Any) -> None:
    trunk, objectives = SUMS[name]
    given = batches(objectives)
    alone = [made(objectives, trunk, stem, seed) for seed in SEEDS]
    axis = SeedAxis(copy.deepcopy(alone), Optim(), CPU)
    losses, figures, _ = axis.gradient(given, [0, 1, 2])
    for at, one in enumerate(alone):
        loss, expected, _ = joint_gradient(one, given[at], CPU)
        own = {f"learner.{name}": value for name, value in gradients(one).items()}
        found = {name: w.grad[at] for name, w in axis.stacked.weights.items() if w.grad is not None}
        assert_close(found, own, 1e-4)  # sums of thousands of terms of about one
        assert_close(dict(axis.learners[at].named_buffers()), dict(one.named_buffers()))
        assert float(losses[at]) == pytest.approx(float(loss), rel=1e-5)
        assert {key: float(value[at]) for key, value in figures.items()} == pytest.approx(
            {key: float(value) for key, value in expected.items()}, rel=1e-4, abs=1e-6
        )


@pytest.mark.parametrize("clip", [1.0, 0.0, 1e-3])
def test_steps_with_teachers_queues_and_floors(batches: Any, clip: float) -> None:
    objectives, optim = (Contrastive, Taught), Optim(clip=clip, lr=1e-3)
    alone = [made(objectives, DualEncoder, seed=seed) for seed in SEEDS]
    axis = SeedAxis(copy.deepcopy(alone), optim, CPU)
    optimizers, fittings = [make_optimizer(one, optim) for one in alone], [Fitting(one) for one in alone]
    for step in range(3):
        given = batches(objectives, step)
        said = axis.step(given, [step] * 3)
        for at, one in enumerate(alone):
            figures = train_step(one, given[at], optimizers[at], clip, CPU, fittings[at])
            assert {key: float(value) for key, value in said[at].items()} == pytest.approx(
                {key: float(value) for key, value in figures.items()}, rel=1e-3, abs=1e-5
            )
    for at, one in enumerate(alone):
        assert int(axis.learners[at].objective("taught").written) == 3 * B  # type: ignore[arg-type]
        assert_close(dict(axis.learners[at].named_buffers()), dict(one.named_buffers()), 1e-3)
        assert_close(axis.learners[at].teachers.state_dict(), one.teachers.state_dict(), 2e-3)
        assert axis.flops == fittings[at].flops


def test_what_each_optimiser_knows_is_its_part_and_goes_on_from_there(batches: Any) -> None:
    """A third step after a break is that of three steps in one go: weights and means of each seed."""
    optim = Optim(lr=1e-3)
    learners = [made((PrefixLM,), EncoderDecoder, seed=seed) for seed in SEEDS]
    whole = SeedAxis(copy.deepcopy(learners), optim, CPU)
    first = SeedAxis(learners, optim, CPU)
    for step in range(2):
        whole.step(batches((PrefixLM,), step), [0, 0, 0])
        first.step(batches((PrefixLM,), step), [0, 0, 0])
    second = SeedAxis(first.learners, optim, CPU, first.optimizers)
    for axis in (whole, second):
        axis.step(batches((PrefixLM,), 2), [0, 0, 0])
    for one, other in zip(whole.learners, second.learners, strict=True):
        assert_close(dict(other.named_parameters()), dict(one.named_parameters()))
    known = second.optimizers[1].state
    weight = second.stacked.models[1].get_parameter("learner.backbone.words.weight")
    assert float(known[weight]["step"]) == 3 and known[weight]["exp_avg"].shape == weight.shape


def test_ways_part_into_tensors_of_ones_own(batches: Any) -> None:
    axis = SeedAxis([made((Contrastive,), DualEncoder, Conv2, seed) for seed in SEEDS], Optim(), CPU)
    axis.step(batches((Contrastive,)), [0, 0, 0])
    before = [copy.deepcopy(one.state_dict()) for one in axis.learners]
    axis.stacked.part_ways()
    for whole in (*axis.stacked.weights.values(), *axis.stacked.buffers.values()):
        whole.detach().zero_()
    for one, was in zip(axis.learners, before, strict=True):
        assert_close(one.state_dict(), was)


@pytest.mark.parametrize(
    ("objective", "said"),
    [(Writes, "writes a buffer"), (Picks, "boolean mask"), (Throws, "draw them in corrupt"), (Asks, ".item()"),
     (Grows, "a buffer of another shape"), (Breaks, "LookupError: no loss today")],
)
def test_what_cannot_be_together_is_told_in_a_sentence(batches: Any, objective: type[Objective], said: str) -> None:
    learner = made((objective,), DualEncoder)
    before = copy.deepcopy(learner.state_dict())
    reason = why_alone(learner, batches((objective,)), CPU)
    assert reason is not None and said in reason and "\n" not in reason
    assert_close(learner.state_dict(), before)
    assert not gradients(learner)


def test_what_can_be_together_has_no_reason(batches: Any) -> None:
    assert why_alone(made((PrefixLM, Contrastive), EncoderDecoder), batches((PrefixLM, Contrastive)), CPU) is None
    assert why_alone(made((Taught,), DualEncoder), batches((Taught,)), CPU) is None
