"""Each formula against a slow double loop written from its definition, and what it becomes where it must be CLIP's."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, normalize
from vlpbench_contrastive import align, siglip, unicl
from vlpbench_contrastive.towers import Temperature, positives, same_texts

from vlpbench.testing import Subject, check_objective, parametrize_objective_checks, tiny_batches
from vlpbench.testing.rounds import crossed

N, E = 6, 5
IMAGE_IDS, CAPTION_IDS = (3, 4, 3, 5, 6, 7), (1, 2, 8, 9, 2, 11)  # 0 and 2 share a picture, 1 and 4 a string
SAME = [[i == j or {i, j} in ({0, 2}, {1, 4}) for j in range(N)] for i in range(N)]
OF_SETTINGS = ["finite-loss", "no-dead-head", "micro-batches", "two-processes", "not-pad-sensitive", "batch-of-one"]
"""Checks that a setting may break."""
ALONE = [[i == j for j in range(N)] for i in range(N)]


@parametrize_objective_checks([siglip.SigLIP, align.ALIGN])
def test_it_keeps_the_contract(objective, check):
    check(objective)


@pytest.mark.parametrize(("objective", "config"), [
    (siglip.SigLIP, siglip.Config(temperature=0.5, bias=-2.71, learnt=False, equals="negatives")),
    (align.ALIGN, align.Config(temperature=0.07, smoothing=0.0, equals="negatives")),
])
def test_other_settings_keep_the_contract_too(objective, config):
    findings = check_objective(objective, config, only=OF_SETTINGS)
    assert [one.state for one in findings] == ["passed"] * len(OF_SETTINGS), findings


def labels(samples=N):
    """Three classes of texts of some tokens, with other ids written under the padding."""
    text = tiny_batches(samples)["texts"]
    which = np.arange(samples) % 3
    tokens, mask = text.tokens[which].copy(), text.mask[which]
    tokens[~mask] = np.arange(tokens.size).reshape(tokens.shape)[~mask]
    return {"label": tokens, "label_mask": mask}


def with_labels(**changes):
    return Subject(unicl.UniCL, unicl.Config(**changes), given=tiny_batches(fields=labels()))


@parametrize_objective_checks([with_labels(labelled=1.0, learnt=False, equals="negatives")])
def test_unicl_keeps_the_contract(objective, check):
    check(objective)


by_id = "the number of a picture decides whether its label counts, so that it counts in every epoch or in none"


@parametrize_objective_checks([with_labels()], expected_failures={"ids-are-names": by_id})
def test_unicl_of_a_share_keeps_all_but_one(objective, check):
    check(objective)


@pytest.fixture
def features():
    rng = torch.Generator().manual_seed(0)
    return {name: normalize(torch.randn(N, E, generator=rng), dim=-1) for name in ("image", "text")}


@pytest.fixture
def batch():
    plain = crossed(tiny_batches(N)["pairs"])
    return replace(plain, image_ids=torch.tensor(IMAGE_IDS), caption_ids=torch.tensor(CAPTION_IDS))


def told(objective, features, batch):
    return objective.loss(features, batch).losses.tolist()


def cosine(one, other):
    return sum(float(a) * float(b) for a, b in zip(one, other, strict=True))


def slow_entropy(logits, targets):
    """-sum_j T_j log softmax(logits)_j, term by term."""
    whole = sum(exp(one) for one in logits)
    return -sum(target * log(exp(one) / whole) for one, target in zip(logits, targets, strict=True))


def slow_both_ways(features, scale, targets):
    """N: cross-entropy of each picture's texts and of each text's pictures."""
    image, text = features["image"], features["text"]
    return [
        (
            slow_entropy([scale * cosine(image[i], text[j]) for j in range(N)], targets[i]),
            slow_entropy([scale * cosine(text[i], image[j]) for j in range(N)], targets[i]),
        )
        for i in range(N)
    ]


def spread(right):
    return [[one / sum(row) for one in row] for row in right]


@pytest.mark.parametrize(("equals", "right"), [("positives", SAME), ("negatives", ALONE)])
def test_positives_are_the_own_pair_and_its_equals_if_asked_for(batch, equals, right):
    assert positives(batch, equals).tolist() == right


def test_texts_are_the_same_where_all_words_are_whatever_the_padding_holds():
    tokens = torch.tensor([[5, 6, 2, 0], [5, 6, 2, 9], [5, 6, 7, 2], [5, 6, 2, 7]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1]]).bool()
    assert same_texts(tokens, mask).int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize("changes", [
    {"temperature": 0.0}, {"coldest": 0.0}, {"coldest": 0.5}, {"hottest": 0.01},
])
def test_a_temperature_stands_between_its_bounds(changes):
    with pytest.raises(ValueError, match="0 < coldest <= temperature <= hottest"):
        Temperature(**changes)


@pytest.mark.parametrize(("equals", "right"), [("positives", SAME), ("negatives", ALONE)])
def test_siglip_is_a_question_for_each_pair(features, batch, equals, right):
    objective = siglip.SigLIP(siglip.Config(temperature=0.25, bias=-1.5, equals=equals), None)
    expected = []
    for i in range(N):
        odds = [4 * cosine(features["image"][i], features["text"][j]) - 1.5 for j in range(N)]
        expected.append(sum(log(1 + exp(-one if right[i][j] else one)) for j, one in enumerate(odds)))
    assert told(objective, features, batch) == pytest.approx(expected, rel=1e-5)


def test_siglip_starts_near_the_bias_for_each_positive(features, batch):
    """Negatives cost next to nothing at first; positives what the bias says against them, less their cosine."""
    objective = siglip.SigLIP(siglip.Config(equals="negatives"), None)
    step = objective.loss({"image": features["image"], "text": features["text"].roll(1, 1)}, batch)
    cosines = (features["image"] * features["text"].roll(1, 1)).sum(1)
    assert torch.allclose(step.losses, 10 - 10 * cosines, atol=N * exp(-0.5))
    assert float(step.figures["bias"]) == -10.0
    assert float(step.figures["temperature"]) == pytest.approx(0.1)


@pytest.mark.parametrize(("equals", "right"), [("positives", SAME), ("negatives", ALONE)])
def test_align_is_the_sum_of_both_directions_smoothed(features, batch, equals, right):
    objective = align.ALIGN(align.Config(temperature=0.2, smoothing=0.1, equals=equals), None)
    targets = [[0.9 * one + 0.1 / N for one in row] for row in spread(right)]
    expected = [a + b for a, b in slow_both_ways(features, 5.0, targets)]
    assert told(objective, features, batch) == pytest.approx(expected, rel=1e-5)


def test_align_unsmoothed_is_twice_clip_and_its_temperature_is_raw(features, batch):
    objective = align.ALIGN(align.Config(smoothing=0.0, equals="negatives"), None)
    losses = objective.loss(features, batch).losses
    assert torch.allclose(losses, 2 * clip(features, 1.0))
    losses.mean().backward()
    with torch.no_grad():
        objective.temperature -= 3.0  # nothing holds it: it may even change its sign
        objective.after_step({})
    assert objective.temperature.item() == -2.0
    assert float(objective.temperature.grad) != 0.0


def clip(features, scale):
    """CLIP's figure 3, sample by sample."""
    logits, own = scale * features["image"] @ features["text"].T, torch.arange(N)
    return (cross_entropy(logits, own, reduction="none") + cross_entropy(logits.T, own, reduction="none")) / 2


def labelled(batch, which, counted):
    """The batch with labels: numbers of texts that stand for them."""
    text = tiny_batches(N)["texts"]
    fields = {"label": text.tokens[list(which)], "label_mask": text.mask[list(which)], "labelled": np.array(counted)}
    return replace(batch, extras={name: torch.from_numpy(array) for name, array in fields.items()})


def test_unicl_with_a_class_for_each_is_clip(features, batch):
    objective = unicl.UniCL(unicl.Config(equals="negatives"), None)
    losses = objective.loss(features, labelled(batch, range(N), [True] * N)).losses
    assert torch.allclose(losses, clip(features, 1 / 0.07), atol=1e-5)
    unlabelled = objective.loss(features, labelled(batch, [0] * N, [False] * N)).losses
    assert torch.allclose(unlabelled, clip(features, 1 / 0.07), atol=1e-5)


@pytest.mark.parametrize(("equals", "right"), [("positives", SAME), ("negatives", ALONE)])
def test_unicl_averages_over_all_of_one_class_whose_labels_count(features, batch, equals, right):
    classes, counted = (0, 1, 0, 0, 1, 2), (True, True, True, False, True, True)
    objective = unicl.UniCL(unicl.Config(temperature=0.5, equals=equals), None)
    right = [
        [right[i][j] or (classes[i] == classes[j] and counted[i] and counted[j]) for j in range(N)] for i in range(N)
    ]
    expected = [(a + b) / 2 for a, b in slow_both_ways(features, 2.0, spread(right))]
    assert told(objective, features, labelled(batch, classes, counted)) == pytest.approx(expected, rel=1e-5)


def test_unicl_counts_the_labels_of_a_share_of_the_pictures():
    ids = np.arange(20_000)
    few, half = unicl.is_labelled(ids, 0.1), unicl.is_labelled(ids, 0.5)
    assert few.mean() == pytest.approx(0.1, abs=0.01)
    assert half.mean() == pytest.approx(0.5, abs=0.015)
    assert not (few & ~half).any()
    assert not unicl.is_labelled(ids, 0.0).any()
    assert unicl.is_labelled(ids, 1.0).all()
    turned = unicl.is_labelled(ids[::-1], 0.5)[::-1]
    assert np.array_equal(turned, half)  # a picture's own number decides, not its place


@pytest.mark.parametrize(("make", "said"), [
    (lambda: siglip.Config(temperature=0.0), "temperature must be above 0"),
    (lambda: align.Config(temperature=-1.0), "temperature must be above 0"),
    (lambda: align.Config(smoothing=1.5), "smoothing is a share"),
    (lambda: unicl.Config(labelled=-0.1), "labelled is a share"),
    (lambda: unicl.Config(coldest=2.0), "0 < coldest"),
])
def test_settings_out_of_range_are_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
