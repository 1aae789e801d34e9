"""The joint loss of a step against its definition: each term's mean over all it counts, weighted and added up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vlpbench.data.examples import Examples
from vlpbench.data.loader import Loader
from vlpbench.device import Device
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.plugin import Backbone, Batch, Objective, Step
from vlpbench.training.joint import joint_loss
from vlpbench.training.learner import Learner

CPU = Device("cpu")
Made = Callable[..., Any]


class Counting(Objective):
    """Two named losses, a figure, something to carry; its counts are 0, 1, 2, ..."""

    name = "counting"

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Any) -> Mapping[str, Any]:
        return {"count": np.arange(len(batch))}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        return {"x": torch.arange(len(batch), dtype=torch.float64), "index": torch.arange(len(batch))}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        assert features["x"].dtype == torch.float32 and features["index"].dtype == torch.int64
        losses = {"first": features["x"], "second": 2 * features["x"]}
        return Step(losses, {"largest": features["x"].max()}, {"rows": features["index"]})


class Silent(Counting):
    """Nothing of a batch counts."""

    name = "silent"

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Any) -> Mapping[str, Any]:
        return {"count": np.zeros(len(batch), int)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(0 * features["x"])


def views(loader: Loader) -> dict[str, dict[str, Batch]]:
    return loader.host(0).to(torch.device("cpu"))


def test_a_sum_of_objectives(loader: Made, learner: Made) -> None:
    both = [PrefixLM, Contrastive]
    whole = learner(both, [0.5, 2.0]).eval()
    batches = views(loader(both))
    with torch.no_grad():
        total, figures, carries = joint_loss(whole, batches, CPU)
        assert_is_the_sum(whole, batches, float(total), figures)
    assert "contrastive/temperature" in figures and carries == {"prefix-lm": {}, "contrastive": {}}


def assert_is_the_sum(
    whole: Learner, batches: dict[str, dict[str, Batch]], total: float, figures: dict[str, Tensor]
) -> None:
    """Half of the mean over words, one word after the other, and twice the mean over pairs."""
    batch = batches["pairs"]["prefix-lm"]
    seen, read = whole.backbone.see(batch.images), whole.backbone.read(batch.tokens, batch.mask)
    said = 0.0
    alone = dataclasses.replace(batch, image=seen, text=read)
    for row in range(len(batch)):  # one word after the other
        nll = whole.terms["prefix-lm"].encode(whole.backbone, alone)["nll"][row]
        said += sum(float(loss) for loss, counts in zip(nll, batch["said"][row], strict=True) if counts)
    words = int(batch["said"].sum())
    assert words == int(batch["count"].sum())
    assert float(figures["prefix-lm/loss"]) == pytest.approx(said / words, rel=1e-5)
    contrast = whole.terms["contrastive"]
    other = dataclasses.replace(batches["pairs"]["contrastive"], image=seen, text=read)
    rows = contrast.loss(contrast.encode(whole.backbone, other), other).losses
    assert float(figures["contrastive/loss"]) == pytest.approx(float(rows.mean()), rel=1e-5)
    assert total == pytest.approx(0.5 * said / words + 2.0 * float(rows.mean()), rel=1e-5)


def test_several_losses_by_name(loader: Made, learner: Made) -> None:
    whole = learner([Counting], [3.0])
    total, figures, carries = joint_loss(whole, views(loader([Counting])), CPU)
    mean = sum(range(6)) / sum(range(6))
    assert float(figures["counting/first"]) == mean and float(figures["counting/second"]) == 2 * mean
    assert float(total) == 3.0 * 3 * mean
    assert float(figures["counting/largest"]) == 5
    assert carries["counting"]["rows"].tolist() == list(range(6))


def test_a_step_in_which_nothing_counts_costs_nothing(loader: Made, learner: Made) -> None:
    total, figures, _ = joint_loss(learner([Silent]), views(loader([Silent])), CPU)
    assert float(total) == 0.0 and float(figures["silent/loss"]) == 0.0


def test_pictures_and_texts_are_encoded_once_whoever_asks(loader: Made, learner: Made) -> None:
    three = [PrefixLM, Contrastive, LanguageModel]
    whole = learner(three)
    calls: list[str] = []
    whole.backbone.stem.register_forward_hook(lambda *_: calls.append("stem"))
    joint_loss(whole, views(loader(three)), CPU)
    assert calls == ["stem"]


def test_every_weight_that_takes_part_has_a_gradient(loader: Made, learner: Made) -> None:
    whole = learner([PrefixLM, Contrastive])
    joint_loss(whole, views(loader([PrefixLM, Contrastive])), CPU)[0].backward()
    without = [name for name, value in whole.named_parameters() if value.grad is None]
    assert without == []


def test_figures_are_cut_off_from_the_gradient(loader: Made, learner: Made) -> None:
    _, figures, _ = joint_loss(learner([Contrastive]), views(loader([Contrastive])), CPU)
    assert not any(value.requires_grad for value in figures.values())


@pytest.mark.parametrize("objective", [PrefixLM, LanguageModel])
def test_texts_alone_can_be_learnt_from(loader: Made, learner: Made, examples: Examples, objective: Any) -> None:
    texts = dataclasses.replace(examples, pixels=np.zeros((0, 32, 32, 3), np.uint8))
    batches = views(dataclasses.replace(loader([objective]), examples=texts))
    assert list(batches) == ["texts"]
    whole: Learner = learner([objective])
    total, _, _ = joint_loss(whole, batches, CPU)
    total.backward()
    assert bool(torch.isfinite(total)) and bool(total > 0)
    assert all(value.grad is None for value in whole.backbone.stem.parameters())


def test_an_objective_that_does_not_use_a_batch_adds_nothing(
    loader: Made, learner: Made, examples: Examples
) -> None:
    texts = dataclasses.replace(examples, pixels=np.zeros((0, 32, 32, 3), np.uint8))
    both = [LanguageModel, Contrastive]
    batches = views(dataclasses.replace(loader(both), examples=texts))
    _, figures, _ = joint_loss(learner(both), batches, CPU)
    assert "language-model/loss" in figures and "contrastive/loss" not in figures
