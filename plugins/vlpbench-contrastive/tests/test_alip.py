"""ALIP: the weights by their definition, running means that are written once a step, and no gradient through either."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, normalize
from vlpbench_contrastive.alip import ALIP, Config, gates

from vlpbench.testing import Subject, check_objective, parametrize_objective_checks, tiny_batches
from vlpbench.testing.rounds import crossed

N, E = 6, 5


def make(**changes):
    return ALIP(Config(**changes), None)


def captions(samples=N):
    text = tiny_batches(samples, seed=3)["texts"]
    return {"oracle": text.tokens, "oracle_mask": text.mask}


def with_captions(**changes):
    return Subject(ALIP, Config(**changes), given=tiny_batches(fields=captions()))


@parametrize_objective_checks([with_captions()])
def test_it_keeps_the_contract(objective, check):
    check(objective)


def test_other_settings_keep_the_contract_too():
    only = ["finite-loss", "no-dead-head", "micro-batches", "two-processes", "not-pad-sensitive"]
    config = Config(momentum=0.0, learnt=False, equals="negatives")
    findings = check_objective(ALIP, config, only=only, batches=tiny_batches(fields=captions()))
    assert not [one for one in findings if one.state == "failed"], findings
    assert [one.check for one in findings if one.state == "passed"][:2] == only[:2], findings


@pytest.fixture
def features():
    rng = torch.Generator().manual_seed(0)
    return {name: normalize(torch.randn(N, E, generator=rng), dim=-1) for name in ("image", "text", "caption")}


def batch_of(same_captions=False, **ids):
    fields = captions()
    if same_captions:
        fields = {name: np.broadcast_to(array[:1], array.shape).copy() for name, array in fields.items()}
    plain = crossed(tiny_batches(N, fields=fields)["pairs"])
    return replace(plain, **{name: torch.tensor(given) for name, given in ids.items()})


def clip(image, text, scale):
    logits, own = scale * image @ text.T, torch.arange(N)
    return (cross_entropy(logits, own, reduction="none") + cross_entropy(logits.T, own, reduction="none")) / 2


def test_weights_by_the_definition():
    means = torch.tensor([0.5, 0.2, 0.4])
    seen = torch.tensor([[0.4, 0.9, 0.1], [0.6, 0.0, 0.9], [0.5, 0.1, 0.1], [-0.5, 0.2, 0.4]])
    text, caption = gates(seen, means)
    for i, (agreed, told, synthetic) in enumerate(seen.tolist()):
        sample = min(1.0, exp(agreed - 0.5) ** 2)
        doubted = exp(agreed - 0.5) ** 2 < 1
        assert float(text[i]) == pytest.approx(sample * (exp(told - 0.2) ** 2 if doubted else 1.0), rel=1e-5)
        assert float(caption[i]) == pytest.approx(sample * (exp(synthetic - 0.4) ** 2 if doubted else 1.0), rel=1e-5)
    assert text[1] == caption[1] == text[2] == caption[2] == 1.0  # above its running mean, or at it


def test_a_pair_of_texts_above_the_running_mean_counts_as_in_clip(features):
    objective = make(momentum=0.99, equals="negatives")
    objective.means.fill_(-1.0)
    losses = objective.loss(features, batch_of()).losses
    image, scale = features["image"], 1 / 0.07
    expected = clip(image, features["text"], scale) + clip(image, features["caption"], scale)
    assert torch.allclose(losses, expected, rtol=1e-5)


def test_the_means_take_in_a_batch_before_it_is_weighed(features):
    objective = make(momentum=0.9, equals="negatives")
    objective.means.copy_(torch.tensor([0.5, 0.1, 0.2]))
    image, text, caption = features["image"], features["text"], features["caption"]
    seen = [[float(a[i] @ b[i]) for a, b in ((text, caption), (image, text), (image, caption))] for i in range(N)]
    means = [0.9 * old + 0.1 * sum(row[k] for row in seen) / N for k, old in enumerate((0.5, 0.1, 0.2))]
    told, said = clip(image, text, 1 / 0.07), clip(image, caption, 1 / 0.07)
    step = objective.loss(features, batch_of())
    for i, (agreed, by_text, by_caption) in enumerate(seen):
        sample = min(1.0, exp(agreed - means[0]) ** 2)
        doubted = sample < 1
        expected = sample * (exp(by_text - means[1]) ** 2 if doubted else 1.0) * float(told[i])
        expected += sample * (exp(by_caption - means[2]) ** 2 if doubted else 1.0) * float(said[i])
        assert step.losses[i].item() == pytest.approx(expected, rel=1e-4)
    assert objective.means.tolist() == pytest.approx([0.5, 0.1, 0.2])  # `loss` has only looked
    with torch.no_grad():
        objective.after_step(step.carry)
    assert objective.means.tolist() == pytest.approx(means, rel=1e-5)
    assert "means" in objective.state_dict()  # a killed run goes on from them


def test_no_gradient_goes_through_the_weights(features):
    """With the weights as plain numbers the gradient is the same."""
    batch, found = batch_of(), []
    for fixed in (False, True):
        objective = make(equals="negatives")
        leaves = {name: one.clone().requires_grad_() for name, one in features.items()}
        losses = objective.loss(leaves, batch).losses
        if fixed:
            pairs = (features["text"] * features["caption"], features["image"] * features["text"],
                     features["image"] * features["caption"])
            seen = torch.stack([one.sum(1) for one in pairs], 1)
            text, caption = gates(seen, 0.99 + 0.01 * seen.mean(0))
            losses = text * clip(leaves["image"], leaves["text"], 1 / 0.07)
            losses = losses + caption * clip(leaves["image"], leaves["caption"], 1 / 0.07)
        losses.mean().backward()
        found.append([leaf.grad for leaf in leaves.values()])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_equal_texts_and_equal_captions_are_positives_each_among_their_own():
    batch = batch_of(caption_ids=[1, 1, 2, 3, 4, 5])
    texts, same = make().positives(batch)
    assert texts.sum().item() == N + 2
    assert texts[0, 1]
    assert same.equal(torch.eye(N, dtype=torch.bool))
    assert make().positives(batch_of(same_captions=True))[1].all()
    for one in make(equals="negatives").positives(batch_of(same_captions=True)):
        assert one.equal(torch.eye(N, dtype=torch.bool))


@pytest.mark.parametrize("momentum", [-0.1, 1.0])
def test_a_momentum_of_one_would_never_move(momentum):
    with pytest.raises(ValueError, match="momentum"):
        Config(momentum=momentum)
