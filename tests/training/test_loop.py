"""The loop: equal settings give equal bytes, and what happens on the way is told at the step where it happens."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from vlpbench.config.settings import Optim
from vlpbench.device import Device
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.plugin import Backbone, Batch, Objective, Spec, Step
from vlpbench.training.course import Course
from vlpbench.training.going import LOGGED
from vlpbench.training.learner import Learner
from vlpbench.training.loop import NonFiniteLoss, train
from vlpbench.training.schedule import rate

CPU = Device("cpu")
Made = Callable[..., Any]


class Linear(Objective):
    """(w x - 1)^2 of a linear map of its own: cheap, and every number of it can be worked out by hand."""

    name = "linear"
    slope: ClassVar[float] = 1.0

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.map = nn.Linear(3, 2)
        self.steps: list[int] = []

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        return {"y": self.map(torch.ones(len(batch), 3))}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        losses = self.slope * (features["y"] - 1).square().sum(1)
        return Step(losses, {"twice": 2 * losses.mean()}, {"rows": batch.image_ids})

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        assert not torch.is_grad_enabled()
        self.steps.append(len(carry["rows"]))


class Steep(Linear):
    """The same, with a large gradient."""

    name = "steep"
    slope = 1e4


class NanFrom(Linear):
    """Its loss is NaN (`wrong`) from a step on (`start`, a share of the training)."""

    name = "nan-from"
    start: ClassVar[float] = 0.5
    wrong: ClassVar[float] = math.nan

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        step = super().loss(features, batch)
        assert isinstance(step.losses, Tensor)
        return Step(step.losses + torch.where(batch.progress >= self.start - 1e-6, self.wrong, 0.0), {}, step.carry)


class Oddity(Linear):
    """A figure that is not finite beside a loss that is."""

    name = "oddity"

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        step = super().loss(features, batch)
        return Step(step.losses, {"odd": torch.tensor(math.inf), "even": torch.tensor(2.0)}, step.carry)


class RootOfNought(Linear):
    """Its loss is finite, and its gradient is not."""

    name = "root-of-nought"

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step((0 * features["y"]).sum(1).sqrt(), {}, {"rows": batch.image_ids})


def test_training_is_a_function_of_its_settings(loader: Made, learner: Made) -> None:
    both = [PrefixLM, Contrastive]
    made = []
    for workers, noise in ((0, 1), (2, 99)):
        torch.manual_seed(noise)
        whole = learner(both)
        batches = dataclasses.replace(loader(both, steps=5), workers=workers)
        made.append((train(whole, batches, Optim(), CPU), whole.state_dict()))
    (one, first), (two, second) = made
    assert one == two
    assert all(first[name].numpy().tobytes() == second[name].numpy().tobytes() for name in first)
    assert one.samples == 30 and one.targets > 30 and one.flops > 0


def test_the_loss_falls_on_a_task_that_can_be_learnt(loader: Made, learner: Made) -> None:
    told = train(learner([PrefixLM]), loader([PrefixLM], steps=40), Optim(lr=3e-3), CPU)
    assert told.curve[-1]["loss"] < 0.8 * told.curve[0]["loss"]


def test_the_curve_has_every_figure_of_every_step(loader: Made, learner: Made) -> None:
    optim = Optim(lr=0.05, warmup=0.25)
    told = train(learner([Linear], [0.5]), loader([Linear], steps=8), optim, CPU)
    assert [row["step"] for row in told.curve] == list(range(8))
    assert [row["lr"] for row in told.curve] == [rate(step, 8, 0.05, 0.25) for step in range(8)]
    for row in told.curve:
        assert set(row) == {"step", "lr", "loss", "gradient", "linear/loss", "linear/twice"}
        assert row["linear/twice"] == pytest.approx(2 * row["linear/loss"])
        assert row["loss"] == pytest.approx(0.5 * row["linear/loss"])
    losses = [row["loss"] for row in told.curve]
    assert losses == sorted(losses, reverse=True)


def test_a_long_curve_is_thinned_and_its_losses_are_means(loader: Made, learner: Made) -> None:
    steps = 2 * LOGGED + 5
    heard: list[tuple[int, int, dict[str, float]]] = []
    watched: list[float] = []
    whole: Learner = learner([Linear])
    linear = whole.terms["linear"]

    def watch(done: int) -> None:
        error = linear.map(torch.ones(1, 3)) - 1
        watched.append(error.square().sum().item())  # the loss of the next step

    told = train(
        whole, loader([Linear], steps=steps, batch=2), Optim(), CPU,
        Course(lambda done, of, figures: heard.append((done, of, dict(figures))), watch),
    )
    assert len(told.curve) == LOGGED + 3
    assert [row["step"] for row in told.curve] == [*range(1, steps, 2), steps - 1]
    for before, row in zip(told.curve, told.curve[1:-1], strict=False):
        step = int(before["step"])
        assert row["loss"] == pytest.approx((watched[step] + watched[step + 1]) / 2, rel=1e-5)
    assert [done for done, _, _ in heard] == [row["step"] + 1 for row in told.curve]
    assert {of for _, of, _ in heard} == {steps}
    assert heard[-1][2] == told.curve[-1]


def test_it_is_watched_after_each_step(loader: Made, learner: Made) -> None:
    whole: Learner = learner([Linear])
    seen: list[tuple[int, bool, int]] = []
    linear = whole.terms["linear"]
    train(whole, loader([Linear], steps=5), Optim(), CPU, Course(watch=lambda done: seen.append(
        (done, whole.training, len(linear.steps))
    )))
    assert seen == [(done, True, done) for done in range(1, 6)]
    assert linear.steps == [6] * 5
    assert not whole.training


def test_operations_are_counted_once_and_multiplied(loader: Made, learner: Made) -> None:
    told = train(learner([Linear]), loader([Linear], steps=7), Optim(), CPU)
    one_product = 2 * 6 * 3 * 2  # B 6, I 3, O 2
    assert told.flops == 7 * (one_product + one_product)  # forward, and the weight's gradient
    assert told.samples == 42 and told.targets == 42


@pytest.mark.parametrize("clip", [0.0, 0.25])
def test_the_gradient_is_clipped_as_a_whole(loader: Made, learner: Made, clip: float) -> None:
    whole: Learner = learner([Steep])
    told = train(whole, loader([Steep], steps=1), Optim(clip=clip), CPU)
    norm = torch.stack([one.grad.norm() for one in whole.parameters() if one.grad is not None]).norm()
    if clip:
        assert float(norm) == pytest.approx(clip, rel=1e-4)
        assert told.curve[0]["gradient"] > 1e3
    else:
        assert float(norm) > 1e3
        assert "gradient" not in told.curve[0]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("steps", "at"), [(1, 0), (9, 0), (9, 3), (9, 8), (2 * LOGGED + 5, 60), (2 * LOGGED + 5, 61)])
def test_a_loss_that_is_not_finite_stops_at_its_step(
    loader: Made, learner: Made, monkeypatch: pytest.MonkeyPatch, wrong: float, steps: int, at: int
) -> None:
    monkeypatch.setattr(NanFrom, "start", at / max(1, steps - 1))
    monkeypatch.setattr(NanFrom, "wrong", wrong)
    with pytest.raises(NonFiniteLoss, match=rf"at step {at};") as caught:
        train(learner([NanFrom]), loader([NanFrom], steps=steps, batch=2), Optim(), CPU)
    assert caught.value.step == at
    known = caught.value.figures
    if at < 2:
        assert known == {} and "last figures: none" in str(caught.value)
    else:
        assert set(known) == {"loss", "gradient", "nan-from/loss"}
        assert all(map(math.isfinite, known.values()))
        assert f"loss {known['loss']:.4g}" in str(caught.value)


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_weights_that_the_last_step_broke_are_no_result(loader: Made, learner: Made, clip: float) -> None:
    with pytest.raises(NonFiniteLoss, match="weights are not finite after step 0"):
        train(learner([RootOfNought]), loader([RootOfNought], steps=1), Optim(clip=clip), CPU)
    with pytest.raises(NonFiniteLoss, match="at step 1;"):
        train(learner([RootOfNought]), loader([RootOfNought], steps=3), Optim(clip=clip), CPU)


def test_a_figure_that_is_not_finite_is_left_out(loader: Made, learner: Made) -> None:
    told = train(learner([Oddity]), loader([Oddity], steps=2), Optim(), CPU)
    assert [set(row) & {"oddity/odd", "oddity/even"} for row in told.curve] == [{"oddity/even"}] * 2
