"""FILIP: the loss by loop, CLIP where there is one token a side, chosen tokens, and the similarity that it trained."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import replace
from math import log
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize
from vlpbench_contrastive.filip import FILIP, Config
from vlpbench_contrastive.token_similarity import kept_tokens

from vlpbench.plugin import Batch, Spec, Vocabulary
from vlpbench.testing import Subject, check_objective, parametrize_objective_checks

B, P, T, E = 5, 6, 7, 8
LENGTHS = (7, 1, 3, 5, 2)
VOCABULARY = Vocabulary(40, 0, 1, 2, 3, 4)


def units(*shape, seed=0):
    return normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def masks(lengths, width=T):
    return torch.arange(width) < torch.tensor(lengths)[:, None]


@pytest.fixture
def pairs():
    return units(B, P, E), units(B, T, E, seed=1), masks(LENGTHS)


def make(**changes):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FILIP(Config(**changes), Spec(10, E, (2, 3), VOCABULARY))


def batch_of(mask, image_ids=range(B), caption_ids=range(B)):
    ids = torch.tensor(list(image_ids)), torch.tensor(list(caption_ids))
    return Batch(None, mask.long(), mask, *ids, torch.tensor(0.0), VOCABULARY)


def slow(image, text, mask):
    """From the definition: each token looks for its best partner, words beyond a text's length do not exist."""
    of_image, of_text = torch.zeros(len(image), len(text)), torch.zeros(len(image), len(text))
    for i in range(len(image)):
        for j in range(len(text)):
            words = [text[j, r] for r in range(text.shape[1]) if mask[j, r]]
            of_image[i, j] = sum(max(float(patch @ word) for word in words) for patch in image[i]) / len(image[i])
            of_text[i, j] = sum(max(float(patch @ word) for patch in image[i]) for word in words) / len(words)
    return of_image, of_text


@parametrize_objective_checks([FILIP])
def test_it_keeps_the_contract(objective, check):
    check(objective)


def test_chosen_tokens_keep_the_contract_too():
    only = ["finite-loss", "no-dead-head", "micro-batches", "two-processes", "not-pad-sensitive", "batch-of-one"]
    findings = check_objective(FILIP, Config(keep=2, width=12), only=only)
    assert [one.state for one in findings] == ["passed"] * len(only), findings


@pytest.mark.parametrize("equals", ["positives", "negatives"])
def test_the_loss_by_loop(pairs, equals):
    objective = make(equals=equals, temperature=0.5)
    image, text, mask = pairs
    images, captions = [0, 0, 1, 2, 3], [10, 11, 12, 12, 13]
    step = objective.loss({"image": image, "text": text}, batch_of(mask, images, captions))
    of_image, of_text = slow(image, text, mask)
    for i in range(B):
        alike = [j for j in range(B) if images[i] == images[j] or captions[i] == captions[j]]
        right = alike if equals == "positives" else [i]
        by_image, by_text = (of_image[i] / 0.5).log_softmax(0), (of_text[:, i] / 0.5).log_softmax(0)
        expected = -sum(by_image[j] + by_text[j] for j in right) / len(right) / 2
        assert step.losses[i].item() == pytest.approx(expected.item(), abs=1e-5)


def test_with_one_token_a_side_it_is_clip():
    image, text = units(B, 1, E), units(B, 1, E, seed=1)
    losses = make().loss({"image": image, "text": text}, batch_of(masks([1] * B, 1))).losses
    logits, aims = image[:, 0] @ text[:, 0].T / 0.07, torch.arange(B)
    assert torch.allclose(losses.mean(), (cross_entropy(logits, aims) + cross_entropy(logits.T, aims)) / 2)


def test_only_what_others_find_is_chosen(pairs):
    """As in the reproduction: all of a sample's own tokens look for partners, among the kept ones of others."""
    image, text, mask = pairs
    some, said, real = kept_tokens(image, text, mask, 2)
    of_image, of_text = make(keep=2).compared(image, text, mask)
    assert torch.allclose(of_image, slow(image, said, real)[0], atol=1e-6)
    assert torch.allclose(of_text, slow(some, text, mask)[1].T, atol=1e-6)


def test_to_keep_more_than_there_are_is_to_keep_all(pairs):
    for found, expected in zip(make(keep=99).compared(*pairs), make().compared(*pairs), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)


@pytest.fixture(scope="module")
def whole():
    subject = Subject(FILIP, Config())
    backbone = subject.backbone()
    host = subject.hosts(samples=8, words=[8, 1, 3, 5, 2, 8, 4, 6])["pairs"]
    there = {name: torch.as_tensor(getattr(host, name)) for name in ("images", "tokens", "mask")}
    return subject.objective(backbone), backbone, replace(host, **there)


def test_similarity_is_what_was_trained(whole):
    objective, backbone, batch = whole
    image, text = backbone.see(batch.images), backbone.read(batch.tokens, batch.mask)
    with torch.no_grad():
        of_image, of_text = objective.similarity(backbone, image, text)
        features = objective.encode(backbone, replace(batch, image=image, text=text))
        trained = objective.compared(features["image"], features["text"], batch.mask)
    assert of_image.shape == of_text.shape == (8, 8) and of_image.dtype == torch.float32
    assert torch.allclose(of_image, trained[0], atol=1e-6) and torch.allclose(of_text, trained[1].T, atol=1e-6)


def test_each_similarity_is_of_its_own_pair_alone(whole):
    objective, backbone, batch = whole
    image = backbone.see(batch.images)
    with torch.no_grad():
        every = objective.similarity(backbone, image, backbone.read(batch.tokens, batch.mask))
        for rows, columns in ((slice(0, 3), slice(2, 8)), (slice(7, 8), slice(1, 2))):
            tokens, mask = batch.tokens[columns], batch.mask[columns]
            longest = int(mask.sum(1).max())
            some = backbone.read(tokens[:, :longest], mask[:, :longest])
            found = objective.similarity(backbone, image.rows(torch.arange(8)[rows]), some)
            for part, all_of_them in zip(found, every, strict=True):
                assert torch.allclose(part, all_of_them[rows, columns], atol=1e-5)


def test_similarity_under_autocast_is_in_fp32(whole):
    objective, backbone, batch = whole
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = objective.encode(backbone, replace(batch, image=backbone.see(batch.images),
                                                      text=backbone.read(batch.tokens, batch.mask)))
    assert {x.dtype for x in features.values()} == {torch.float32}
    assert torch.allclose(features["image"].norm(dim=-1), torch.ones(8, features["image"].shape[1]), atol=1e-5)


def test_widths():
    assert make().image.out_features == E and make(width=20).text.out_features == 20
    assert make().image.in_features == make().text.in_features == 10


def test_the_temperature_stays_in_its_bounds():
    objective = make()
    assert objective.log_scale.item() == pytest.approx(log(1 / 0.07))
    for far, bound in ((9.0, log(100)), (-9.0, 0.0)):
        with torch.no_grad():
            objective.log_scale.fill_(far)
            objective.after_step({})
        assert objective.log_scale.item() == pytest.approx(bound, abs=1e-6)


@pytest.mark.parametrize("wrong", [{"keep": -1}, {"width": -2}, {"temperature": 0.001}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=r"needs 0 <|whole numbers"):
        Config(**wrong)


def test_declared():
    assert FILIP.trains == {"similarity"} and FILIP.needs == {"image_tokens", "text_tokens"}
    assert FILIP.coupled == "all" and "yao2022filip" in FILIP.cites[0]


def test_the_recipe_is_the_defaults_but_for_equal_pairs():
    path = Path(sys.modules[FILIP.__module__].__file__).parent / "recipes" / "filip.toml"
    said = tomllib.loads(path.read_text())["settings"]
    mine = {key.rpartition(".")[2]: value for key, value in said.items() if key.startswith("objective.filip.")}
    assert Config(**mine) == Config(equals="negatives") and said["objective"] == FILIP.name
