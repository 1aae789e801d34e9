"""Matching: who may be a negative, by what chance it is drawn, which label means what, and the loss by hand."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from math import log

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from vlpbench.backbones.decoder_only import DecoderOnly
from vlpbench.backbones.dual_fusion import DualFusion
from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.objectives.image_text_matching import Config, ImageTextMatching

VECTORS = frozenset({"image_vector", "text_vector"})
MINED, PLAIN = frozenset({"fused_tokens"}) | VECTORS, frozenset({"fused_tokens"})


@pytest.fixture(autouse=True)
def _no_gradient(request):
    with torch.set_grad_enabled("gradient" in request.node.name):
        yield


@pytest.fixture(scope="module", params=[EncoderDecoder, DecoderOnly, DualFusion], ids=lambda trunk: trunk.name)
def backbones(built, request):
    return {"hard": built(MINED, request.param), "uniform": built(PLAIN, request.param)}


@pytest.fixture(params=["hard", "uniform"])
def backbone(backbones, request):
    return backbones[request.param]


@pytest.fixture
def pairs(host):
    """Pairs as `corrupt` sees them, with these pictures and strings."""

    def make(image_ids, caption_ids):
        batch = host(np.random.default_rng(3).integers(1, 9, len(image_ids)))
        return replace(batch, image_ids=np.asarray(image_ids), caption_ids=np.asarray(caption_ids))

    return make


def matching(backbone, **changes):
    return ImageTextMatching(Config(**changes), backbone.spec)


def crowded(samples, seed=0):
    """Ids of which many are equal."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, samples // 2 + 1, samples), rng.integers(0, samples // 2 + 1, samples)


def by_loop(backbone, batch, config):
    """The text for each picture and the picture for each text, or None; one at a time."""
    images, texts, draw = batch.image_ids.tolist(), batch.caption_ids.tolist(), batch["draw"].double()
    known = {(image, text) for image, text in zip(images, texts, strict=True)}
    mined = config.hard and backbone.abilities >= VECTORS
    cosines = backbone.image_vector(batch.image) @ backbone.text_vector(batch.text).T if mined else None

    def score(i, j):
        noise = -torch.log(-torch.log((draw[i, 0] + draw[j, 1]) % 1.0))
        return (cosines[i, j].item() / config.temperature if mined else 0.0) + noise.item()

    found = []
    for i in range(len(images)):
        start = i // config.group * config.group
        group = range(start, min(start + config.group, len(images)))
        here = {pair for pair in known if pair in {(images[k], texts[k]) for k in group}}
        some = [j for j in group if (images[i], texts[j]) not in here]
        text = max(some, key=lambda j: score(i, j)) if some else None
        some = [j for j in group if (images[j], texts[i]) not in here]
        found.append((text, max(some, key=lambda j: score(j, i)) if some else None))
    return found


@pytest.mark.parametrize(("samples", "group"), [(37, 16), (32, 16), (9, 16), (5, 2), (7, 3), (2, 2), (1, 16)])
def test_negatives_by_loop(backbone, pairs, crossed, samples, group):
    for seed in range(3):
        objective = matching(backbone, group=group, temperature=0.3)
        batch = crossed(pairs(*crowded(samples, seed)), backbone, objective, np.random.default_rng(seed))
        expected = by_loop(backbone, batch, objective.config)
        text, image = objective.negatives(backbone, batch)
        for i, (other_text, other_image) in enumerate(expected):
            assert text[i] == (i if other_text is None else other_text)
            assert image[i] == (i if other_image is None else other_image)
            assert batch["found"][i].tolist() == [other_text is not None, other_image is not None]
            assert batch["count"][i] == 1 + (other_text is not None) + (other_image is not None)


def test_loss_by_hand(backbone, pairs, crossed):
    objective = matching(backbone, group=4)
    batch = crossed(pairs([0, 0, 1, 2, 3, 3, 4], [9, 8, 9, 7, 6, 6, 6]), backbone, objective)
    step = objective.loss(objective.encode(backbone, batch), batch)

    def log_odds(image, text):
        words = batch.tokens[text][batch.mask[text]][None]
        seen, read = backbone.fused_tokens(
            backbone.see(batch.images[image : image + 1]), backbone.read(words, torch.ones_like(words).bool())
        )
        return objective.head(torch.cat([seen[0].mean(0), read[0].mean(0)]))[0]

    for i, (text, image) in enumerate(by_loop(backbone, batch, objective.config)):
        expected = -log_odds(i, i).sigmoid().log()
        if text is not None:
            expected = expected - (1 - log_odds(i, text).sigmoid()).log()
        if image is not None:
            expected = expected - (1 - log_odds(image, i).sigmoid()).log()
        assert torch.allclose(step.losses[i], expected, rtol=1e-4)


@pytest.mark.parametrize(("images", "captions", "found"), [
    ([0, 1, 2], [5, 6, 7], [[1, 1], [1, 1], [1, 1]]),
    ([0, 0], [5, 6], [[0, 0], [0, 0]]),  # two captions of one picture
    ([0, 1], [5, 5], [[0, 0], [0, 0]]),  # one caption of two pictures
    ([0, 0, 1], [5, 6, 5], [[0, 0], [0, 1], [1, 0]]),  # picture 0 says 5 and 6, picture 1 never 6
    ([0], [5], [[0, 0]]),
])
def test_equal_pictures_and_equal_strings_are_no_negatives(backbone, pairs, crossed, images, captions, found):
    """In the fourth, the second sample's picture and the third's text share neither, but are the first sample."""
    objective = matching(backbone)
    batch = crossed(pairs(images, captions), backbone, objective)
    assert batch["found"].int().tolist() == found
    assert batch["count"].tolist() == [1 + sum(row) for row in found]
    known = set(zip(images, captions, strict=True))
    text, image = objective.negatives(backbone, batch)
    for i, (has_text, has_image) in enumerate(found):
        assert ((images[i], captions[text[i]]) in known) == (not has_text)
        assert ((images[image[i]], captions[i]) in known) == (not has_image)


def test_no_known_pair_is_ever_a_negative(backbone, pairs, crossed):
    objective = matching(backbone, group=8)
    images, captions = crowded(400)
    batch = crossed(pairs(images, captions), backbone, objective)
    text, image = objective.negatives(backbone, batch)
    for i in range(400):
        start = i // 8 * 8
        known = set(zip(images[start : start + 8], captions[start : start + 8], strict=True))
        assert not batch["found"][i, 0] or (images[i], captions[text[i]]) not in known
        assert not batch["found"][i, 1] or (images[image[i]], captions[i]) not in known
        assert start <= min(text[i], image[i]) and max(text[i], image[i]) < start + 8
    assert batch["found"].float().mean() > 0.9


def test_one_is_a_match(pairs, crossed, backbone):
    objective = matching(backbone)
    batch = crossed(pairs(range(4), range(4)), backbone, objective)
    sure = torch.tensor([[20.0, -20.0, -20.0]]).expand(4, 3)
    right, wrong = (objective.loss({"log_odds": sign * sure}, batch) for sign in (1, -1))
    assert torch.allclose(right.losses, torch.zeros(4), atol=1e-6)
    assert torch.allclose(wrong.losses, torch.full((4,), 60.0))
    assert {name: value.item() for name, value in right.figures.items()} == {"matched": 1.0, "mismatched": 1.0}
    assert {name: value.item() for name, value in wrong.figures.items()} == {"matched": 0.0, "mismatched": 0.0}


def test_chance_is_the_entropy_of_one_in_three(pairs, crossed, backbone):
    objective = matching(backbone)
    batch = crossed(pairs(range(4), range(4)), backbone, objective)
    step = objective.loss({"log_odds": torch.full((4, 3), -log(2))}, batch)
    assert (step.losses.sum() / batch["count"].sum()).item() == pytest.approx(0.6365, abs=1e-4)


def test_a_missing_negative_weighs_nothing(pairs, crossed, backbone):
    objective = matching(backbone)
    batch = crossed(pairs([0, 0, 1], [5, 5, 5]), backbone, objective)
    step = objective.loss({"log_odds": torch.full((3, 3), 2.0)}, batch)
    assert torch.allclose(step.losses, torch.full((3,), log(1 + np.exp(-2.0))))
    assert batch["count"].tolist() == [1, 1, 1] and step.figures["mismatched"] == 0


def test_figures_of_groups_add_up_to_those_of_the_batch(pairs, crossed, backbone):
    objective = matching(backbone, group=2)
    batch = crossed(pairs([0, 0, 1, 2], [5, 5, 6, 7]), backbone, objective)  # the first group has no mismatch
    log_odds = torch.tensor([[1.0, -1.0, -1.0]] * 4)
    whole = objective.loss({"log_odds": log_odds}, batch).figures
    parts = []
    for rows in (slice(0, 2), slice(2, 4)):
        half = replace(batch, extras={key: x[rows] for key, x in batch.extras.items()})
        parts.append(objective.loss({"log_odds": log_odds[rows]}, half).figures)
    assert {key: sum(part[key] for part in parts) / 2 for key in whole} == whole


def test_a_large_group_takes_no_cube_of_memory(pairs):
    batch = pairs(range(400), range(400))
    tracemalloc.start()
    found = ImageTextMatching.corrupt(batch, np.random.default_rng(0), Config(group=400))["found"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.all() and peak < 20e6  # 400 cubed is 64 MB


@pytest.fixture
def repeated(host, crossed, backbones):
    """Many groups that hold the same six pairs, whose vectors are computed once, each with a chance of its own."""

    def make(objective, groups=3000):
        backbone = backbones["hard"]
        six = crossed(host([8, 5, 4, 2, 6, 3]), backbone)
        index = torch.arange(6).repeat(groups)
        many = host(np.ones(6 * groups, int))
        many = replace(many, image_ids=many.image_ids % 6, caption_ids=many.caption_ids % 6)
        there = replace(crossed(many, None, objective), image=six.image.rows(index), text=six.text.rows(index))
        cosines = backbone.image_vector(six.image) @ backbone.text_vector(six.text).T
        return objective.negatives(backbone, there), cosines

    return make


@pytest.mark.parametrize("changes", [{"hard": False}, {"temperature": 0.2}, {"temperature": 0.05}])
def test_draws_follow_their_chances(backbones, repeated, changes):
    objective = matching(backbones["hard"], group=6, **changes)
    (text, image), cosines = repeated(objective)
    logits = cosines / objective.config.temperature * objective.config.hard
    logits = logits.double().masked_fill(torch.eye(6, dtype=torch.bool), -torch.inf)
    for picked, chances in ((text, logits.softmax(1)), (image, logits.T.softmax(1))):
        for i in range(6):
            seen = np.bincount(picked[i::6] % 6, minlength=6)
            assert seen[i] == 0
            others, expected = np.delete(seen, i), np.delete(chances[i].numpy(), i) * 3000
            likely = expected >= 5
            if likely.sum() > 1:
                scaled = expected[likely] * others[likely].sum() / expected[likely].sum()
                assert chisquare(others[likely], scaled).pvalue > 1e-4
            assert others[~likely].sum() < 40


def test_at_low_temperature_the_nearest_is_drawn(backbones, repeated):
    (text, image), cosines = repeated(matching(backbones["hard"], group=6, temperature=1e-5), groups=40)
    cosines = cosines.masked_fill(torch.eye(6, dtype=torch.bool), -torch.inf)
    assert torch.equal(text % 6, cosines.argmax(1).repeat(40))
    assert torch.equal(image % 6, cosines.argmax(0).repeat(40))


def test_samples_draw_apart(backbones, repeated):
    """What a pair draws in one group tells nothing of the same pair in the next."""
    (text, _), _ = repeated(matching(backbones["hard"], group=6, hard=False))
    one, next_one = text[0::12].numpy() % 6, text[6::12].numpy() % 6
    together = np.zeros((6, 6))
    np.add.at(together, (one, next_one), 1)
    assert chisquare(together[1:, 1:].flatten()).pvalue > 1e-4


def test_mining_has_no_gradient(backbones, pairs, crossed):
    backbone = backbones["hard"]
    objective = matching(backbone)
    batch = crossed(pairs(range(6), range(6)), backbone, objective)
    backbone.zero_grad()
    objective.loss(objective.encode(backbone, batch), batch).losses.sum().backward()
    assert all(one.grad is None for name, one in backbone.named_parameters() if "head" in name)
    assert objective.head.weight.grad.abs().sum() > 0 and backbone.words.weight.grad.abs().sum() > 0
    backbone.zero_grad()


def test_a_permutation_within_groups_permutes_the_rows(backbone, pairs, crossed):
    objective = matching(backbone, group=5)
    images, captions = crowded(12)
    plain = crossed(pairs(images, captions), backbone, objective)
    order = torch.tensor([3, 0, 4, 2, 1, 7, 9, 5, 6, 8, 11, 10])
    pixels, texts = plain.images[order], backbone.read(plain.tokens[order], plain.mask[order])
    turned = replace(
        plain, images=pixels, image=backbone.see(pixels), text=texts, tokens=texts.tokens, mask=texts.mask,
        image_ids=plain.image_ids[order], caption_ids=plain.caption_ids[order],
        extras={name: rows[order] for name, rows in plain.extras.items()},
    )
    one, other = (objective.encode(backbone, batch)["log_odds"] for batch in (plain, turned))
    assert torch.allclose(other, one[order], atol=1e-5)


def test_micro_batches_of_whole_groups_give_the_same_rows(backbone, pairs, crossed):
    objective = matching(backbone, group=4)
    whole = crossed(pairs(*crowded(14)), backbone, objective)
    rows = []
    for start in (0, 8):
        cut = slice(start, start + 8)
        part = replace(
            whole, tokens=whole.tokens[cut], mask=whole.mask[cut], image_ids=whole.image_ids[cut],
            caption_ids=whole.caption_ids[cut], image=backbone.see(whole.images[cut]),
            text=backbone.read(whole.tokens[cut], whole.mask[cut]),
            extras={name: x[cut] for name, x in whole.extras.items()},
        )
        rows.append(objective.encode(backbone, part)["log_odds"])
    assert torch.allclose(torch.cat(rows), objective.encode(backbone, whole)["log_odds"], atol=1e-5)


def test_the_picture_decides(backbone, pairs, crossed):
    objective = matching(backbone)
    batch = crossed(pairs(range(4), range(4)), backbone, objective)
    other = replace(batch, image=backbone.see(batch.images.flip(0)))
    one, two = (objective.encode(backbone, some)["log_odds"][:, 0] for some in (batch, other))
    assert not torch.isclose(one, two).any()


def test_a_pure_function_of_its_arguments(pairs):
    batch = pairs(*crowded(20))
    corrupt, config = ImageTextMatching.corrupt, Config()
    first, again, other = (corrupt(batch, np.random.default_rng(seed), config) for seed in (3, 3, 4))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["draw"], other["draw"])
    assert {name: x.shape for name, x in first.items()} == {"draw": (20, 2), "found": (20, 2), "count": (20,)}
    assert first["draw"].dtype == np.float32 and first["draw"].min() >= 0 and first["draw"].max() < 1


@pytest.mark.parametrize("wrong", [{"group": 1}, {"temperature": 0.0}, {"temperature": -1.0}])
def test_settings_that_mean_nothing(wrong):
    with pytest.raises(ValueError, match=r"group is a number|temperature is a number"):
        Config(**wrong)


def test_declared():
    assert (ImageTextMatching.name, ImageTextMatching.uses, ImageTextMatching.trains) == (
        "image-text-matching", {"pairs"}, {"match"},
    )
    assert ImageTextMatching.needs_with(Config()) == PLAIN and ImageTextMatching.welcomes == VECTORS
    assert ImageTextMatching.coupled_with(Config(group=8)) == 8
