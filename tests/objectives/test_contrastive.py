"""Contrastive: the formula by loop, who is a positive, and a temperature that falls no further than its floor."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from vlpbench.objectives.contrastive import Config, Contrastive

N = 6


@pytest.fixture
def objective():
    return lambda **changes: Contrastive(Config(**changes), None)


@pytest.fixture
def batch(host, crossed):
    def make(image_ids=range(N), caption_ids=range(N)):
        plain = crossed(host([8] * N))
        return replace(plain, image_ids=torch.tensor(list(image_ids)), caption_ids=torch.tensor(list(caption_ids)))

    return make


@pytest.fixture
def features():
    rng = torch.Generator().manual_seed(0)
    return {name: normalize(torch.randn(N, 5, generator=rng), dim=-1) for name in ("image", "text")}


def test_distinct_pairs_are_clip(objective, batch, features):
    logits, aims = features["image"] @ features["text"].T / 0.07, torch.arange(N)
    step = objective().loss(features, batch())
    assert step.losses.shape == (N,)
    assert torch.allclose(step.losses.mean(), (cross_entropy(logits, aims) + cross_entropy(logits.T, aims)) / 2)


def test_equal_pairs_may_be_negatives_as_in_clips_own_code(objective, batch, features):
    images, captions = [0, 0, 1, 2, 3, 3], [10, 11, 12, 12, 13, 13]
    losses = objective(equals="negatives").loss(features, batch(images, captions)).losses
    assert torch.equal(losses, objective().loss(features, batch()).losses)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equal_pictures_and_equal_strings_by_loop(objective, batch, features, smoothing):
    images, captions = [0, 0, 1, 2, 3, 3], [10, 11, 12, 12, 13, 13]
    step = objective(smoothing=smoothing, temperature=0.5).loss(features, batch(images, captions))
    expected = []
    for i in range(N):
        positive = [j for j in range(N) if images[i] == images[j] or captions[i] == captions[j]]
        loss = 0.0
        for mine, others in ((features["image"], features["text"]), (features["text"], features["image"])):
            cosines = torch.stack([mine[i] @ others[j] / 0.5 for j in range(N)])
            for j in range(N):
                target = (1 - smoothing) * (j in positive) / len(positive) + smoothing / N
                loss = loss - target * cosines.log_softmax(0)[j] / 2
        expected.append(loss)
    assert torch.allclose(step.losses, torch.stack(expected), atol=1e-5)


def test_targets_are_distributions(objective, batch):
    shared = batch([0, 0, 1, 2, 3, 3], [10, 11, 12, 12, 13, 13])
    for smoothing in (0.0, 0.1, 1.0):
        targets = objective(smoothing=smoothing).targets(shared)
        assert torch.allclose(targets.sum(1), torch.ones(N))
    assert objective().targets(shared)[0].tolist() == [0.5, 0.5, 0, 0, 0, 0]
    assert objective().targets(shared)[2].tolist() == [0, 0, 0.5, 0.5, 0, 0]


def test_a_permutation_of_the_batch_permutes_the_losses(objective, batch, features):
    images, captions = torch.tensor([0, 0, 1, 2, 3, 3]), torch.tensor([10, 11, 12, 12, 13, 14])
    order = torch.tensor([3, 5, 0, 2, 1, 4])
    plain = objective().loss(features, batch(images, captions)).losses
    turned = {name: rows[order] for name, rows in features.items()}
    found = objective().loss(turned, batch(images[order], captions[order])).losses
    assert torch.allclose(found, plain[order], atol=1e-5)


def test_one_pair_has_nothing_to_be_told_from(objective, batch, features):
    alone = replace(batch(), image_ids=torch.tensor([1]), caption_ids=torch.tensor([1]))
    assert objective().loss({name: rows[:1] for name, rows in features.items()}, alone).losses.tolist() == [0.0]


def test_near_log_n_when_training_starts(host, crossed, towers):
    objective = Contrastive(Config(temperature=1.0), towers.spec)
    with torch.no_grad():
        batch = crossed(host([8] * 16), towers)
        step = objective.loss(objective.encode(towers, batch), batch)
    assert step.losses.mean().item() == pytest.approx(log(16), abs=0.1)
    assert step.figures["temperature"].item() == pytest.approx(1.0)


def test_features_are_the_vectors_of_the_batch(host, crossed, towers):
    batch = crossed(host([8, 3, 1]), towers)
    found = Contrastive(Config(), towers.spec).encode(towers, batch)
    assert found["image"] is towers.image_vector(batch.image)
    assert found["text"] is towers.text_vector(batch.text)


def test_temperature(objective, batch, features):
    step = objective(temperature=0.2).loss(features, batch())
    assert step.figures["temperature"].item() == pytest.approx(0.2)
    assert step.figures["temperature"].ndim == 0 and not step.figures["temperature"].requires_grad


def test_the_scale_learns_unless_told_not_to(objective, batch, features):
    learnt, fixed = objective(), objective(learnt=False)
    learnt.loss(features, batch()).losses.sum().backward()
    assert learnt.log_scale.grad.abs() > 0
    assert [one.requires_grad for one in fixed.parameters()] == [False]


def test_the_temperature_stops_at_its_floor_and_can_leave_it(objective, batch):
    aligned = {name: torch.eye(N) for name in ("image", "text")}
    opposed = {"image": torch.eye(N), "text": torch.eye(N).roll(1, 0)}
    colder = objective(temperature=0.5, coldest=0.4)
    optimizer = torch.optim.SGD(colder.parameters(), lr=1.0)

    def train(features, lr):
        optimizer.zero_grad()
        colder.loss(features, batch()).losses.mean().backward()
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        with torch.no_grad():
            colder.after_step({})
        return exp(-colder.log_scale.item())

    for _ in range(3):
        coldest = train(aligned, 10.0)
    assert coldest == pytest.approx(0.4)  # it would have fallen far below
    assert train(opposed, 0.1) > 0.41


@pytest.mark.parametrize("wrong", [
    {"temperature": 0.0}, {"temperature": -1.0}, {"coldest": 0.0}, {"coldest": 0.1},
    {"smoothing": 1.5}, {"smoothing": -0.1},
])
def test_settings_that_mean_nothing(wrong):
    with pytest.raises(ValueError, match=r"coldest|smoothing"):
        Config(**wrong)


def test_declared():
    assert (Contrastive.name, Contrastive.uses, Contrastive.trains) == ("contrastive", {"pairs"}, {"vectors"})
    assert Contrastive.needs_with(Config()) == {"image_vector", "text_vector"}
    assert Contrastive.coupled == "all"
