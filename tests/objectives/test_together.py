"""A weighted sum of objectives: towers are shared, and each term is its mean over pairs and texts together."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from vlpbench.backbones.dual_fusion import DualFusion
from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.objectives import vlpbench_objectives
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.image_text_matching import Config as MatchingConfig
from vlpbench.objectives.image_text_matching import ImageTextMatching
from vlpbench.objectives.language_model import Config as LanguageConfig
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.masked_lm import MaskedLM
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.joint import _check_shapes, joint_loss
from vlpbench.training.learner import Learner, Term

CPU = Device("cpu")


@pytest.fixture
def backbone(built):
    return built({"image_vector", "text_vector", "context", "decode"})


@pytest.fixture
def views(host, crossed):
    """Each term's view of a batch of five pairs, or three texts, without states: the step adds them."""

    def make(objectives, kind):
        pairs = kind == "pairs"
        batch = host([8, 5, 4, 2, 1] if pairs else [7, 6, 1], has_image=pairs, seed=7 if pairs else 8)
        return {one.name: crossed(batch, None, one) for one in objectives}

    return make


def by_hand(objective, backbone, batches):
    """(sum of losses, count) over all samples, each batch with states of its own."""
    total, count = 0.0, 0
    for batch in batches:
        image = None if batch.images is None else backbone.see(batch.images)
        alone = replace(batch, image=image, text=backbone.read(batch.tokens, batch.mask))
        step = objective.loss(objective.encode(backbone, alone), alone)
        assert step.losses.shape == (len(batch),)
        assert all(figure.ndim == 0 for figure in step.figures.values())
        total, count = total + step.losses.sum(), count + int(alone.extras.get("count", torch.ones(len(batch))).sum())
    return total, count


def test_one_objective_is_its_mean_over_pairs_and_texts(backbone, views):
    objective = PrefixLM(PrefixLM.config_class(), backbone.spec)
    batches = {kind: views([objective], kind) for kind in ("pairs", "texts")}
    with torch.no_grad():
        loss, figures, carries = joint_loss(Learner(backbone, [Term(1.0, objective)]), batches, CPU)
        total, count = by_hand(objective, backbone, [batches[kind]["prefix-lm"] for kind in batches])
        means = [by_hand(objective, backbone, [batches[kind]["prefix-lm"]]) for kind in batches]
    assert torch.allclose(loss, total / count)
    assert torch.allclose(figures["prefix-lm/loss"], loss)
    assert carries == {"prefix-lm": {}}
    assert not torch.isclose(loss, sum(one / many for one, many in means) / 2)  # no mean of means


def test_a_sum_is_weighted_and_each_term_has_its_own_count(backbone, views):
    spec = backbone.spec
    contrastive = Contrastive(Contrastive.config_class(), spec)
    language = LanguageModel(LanguageConfig("all"), spec)
    batches = {"pairs": views([contrastive, language], "pairs"), "texts": views([language], "texts")}
    learner = Learner(backbone, [Term(1.0, contrastive), Term(2.5, language)])
    with torch.no_grad():
        loss, figures, _ = joint_loss(learner, batches, CPU)
        apart, pairs = by_hand(contrastive, backbone, [batches["pairs"]["contrastive"]])
        said, words = by_hand(language, backbone, [batches[kind]["language-model"] for kind in batches])
    assert (pairs, words) == (5, 8 + 5 + 4 + 2 + 1 + 7 + 6 + 1)
    assert torch.allclose(loss, apart / pairs + 2.5 * said / words)
    assert set(figures) == {"contrastive/loss", "contrastive/temperature", "language-model/loss"}
    assert all(figure.ndim == 0 and not figure.requires_grad for figure in figures.values())


def watched(backbone):
    """The rows of each pass through the stem and through the first layer of each stack, as they happen."""
    passes = {"stem": []}
    backbone.stem.register_forward_hook(lambda _, given, made: passes["stem"].append(len(made)))
    for name, module in backbone.named_modules():
        first = re.fullmatch(r"(\w+)(?:\.blocks)?\.0(?:\.words)?\.norm1", name)
        if first:
            seen = passes.setdefault(first[1], [])
            module.register_forward_hook(lambda _, given, made, seen=seen: seen.append(len(made)))
    return passes


def test_a_sum_shares_the_towers(backbone, views):
    spec = backbone.spec
    terms = [Contrastive(Contrastive.config_class(), spec), LanguageModel(LanguageConfig("all"), spec)]
    passes = watched(backbone)
    learner = Learner(backbone, [Term(1.0, one) for one in terms])
    joint_loss(learner, {"pairs": views(terms, "pairs")}, CPU)[0].backward()
    assert passes["stem"] == [5]
    assert passes["encoder"] == [5, 5]  # the picture once, the text once
    idle = {name for name, one in learner.named_parameters() if one.grad is None}
    assert idle == set()


ALBEF = (Contrastive, ImageTextMatching, MaskedLM)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
@pytest.mark.parametrize(("trunk", "expected"), [
    # picture and text alone, once each; the matching's 15 rows and the masked text, each with its picture
    (EncoderDecoder, {"encoder": [5, 5, 5, 15]}),
    # one image tower, two text towers (the text as it is, and masked), fusions of 4 times the batch
    (DualFusion, {"image_tower": [5], "text_tower": [5, 5], "fusion": [5, 15]}),
], ids=lambda one: getattr(one, "name", ""))
def test_albef_s_three_terms_share_one_image_tower(built, views, order, trunk, expected):
    """A batch of 5 pairs."""
    backbone = built({"image_vector", "text_vector", "fused_tokens", "text_tokens"}, trunk)
    terms = [ALBEF[i](ALBEF[i].config_class(), backbone.spec) for i in order]
    passes = watched(backbone)
    learner = Learner(backbone, [Term(1.0, one) for one in terms])
    joint_loss(learner, {"pairs": views(terms, "pairs")}, CPU)[0].backward()
    assert {stack: sorted(rows) for stack, rows in passes.items()} == {"stem": [5], **expected}
    assert {name for name, one in learner.named_parameters() if one.grad is None} == set()  # mining stops no gradient


def test_matching_mines_by_vectors_that_others_ask_for_and_asks_for_none_itself(built, views):
    backbone = built({"fused_tokens"})
    term = ImageTextMatching(ImageTextMatching.config_class(), backbone.spec)
    passes = watched(backbone)
    joint_loss(Learner(backbone, [Term(1.0, term)]), {"pairs": views([term], "pairs")}, CPU)
    assert (passes["stem"], passes["encoder"]) == ([5], [15])


def test_texts_beside_pairs_cost_one_more_text_tower(built, views):
    backbone = built({"fused_tokens", "text_tokens"})
    term = MaskedLM(MaskedLM.config_class(), backbone.spec)
    passes = watched(backbone)
    batches = {kind: views([term], kind) for kind in ("pairs", "texts")}
    joint_loss(Learner(backbone, [Term(1.0, term)]), batches, CPU)
    assert (passes["stem"], passes["encoder"]) == ([5], [5, 3])


def test_gradients_of_a_sum_are_the_sum_of_gradients(backbone, views):
    terms = [PrefixLM(PrefixLM.config_class(), backbone.spec), LanguageModel(LanguageConfig("all"), backbone.spec)]
    batches = {"pairs": views(terms, "pairs")}

    def gradient(some, weights):
        learner = Learner(backbone, [Term(weight, one) for one, weight in zip(some, weights, strict=True)])
        backbone.zero_grad()
        joint_loss(learner, batches, CPU)[0].backward()
        return backbone.words.weight.grad.clone()

    together = gradient(terms, [1.0, 0.5])
    assert torch.allclose(together, gradient(terms[:1], [1.0]) + gradient(terms[1:], [0.5]), atol=1e-5)


@pytest.mark.parametrize("objective", [one for one in vlpbench_objectives() if one.uses], ids=lambda one: one.name)
def test_every_objective_keeps_the_contract(built, host, crossed, objective):
    """Rows stay rows, arrays are of B rows and static shape, a batch is a function of the generator alone."""
    made = objective(objective.config_class(), built(()).spec)
    backbone = built(made.needs_with(made.config))
    for kind in sorted(objective.uses):
        shapes = set()
        for lengths in ([8, 5, 1], [2, 2, 8]):
            batch = host(lengths, has_image=kind == "pairs")
            one, again = (objective.corrupt(batch, np.random.default_rng(2), made.config) for _ in range(2))
            assert all(np.array_equal(one[name], again[name]) for name in one)
            assert all(len(rows) == 3 for rows in one.values())
            shapes.add(tuple(sorted((name, rows.shape, str(rows.dtype)) for name, rows in one.items())))
            there = crossed(batch, backbone, made)
            features = made.encode(backbone, there)
            assert all(len(rows) == 3 for rows in features.values())
            step = made.loss(features, there)
            assert step.losses.shape == (3,) and step.losses.dtype == torch.float32
            count = there.extras.get("count", torch.ones(3))
            assert torch.isfinite(step.losses).all() and torch.equal(step.losses > 0, count > 0)
        assert len(shapes) == 1


@pytest.mark.parametrize("micro_batch", [2, 4])
def test_albef_s_three_terms_in_micro_batches_are_the_whole(built, views, micro_batch):
    """One is coupled over the batch, one in groups of 2, one not at all, and one of them reads texts besides."""
    backbone = built({"image_vector", "text_vector", "fused_tokens", "text_tokens"}, DualFusion)
    matching = ImageTextMatching(MatchingConfig(group=2), backbone.spec)
    terms = [Contrastive(Contrastive.config_class(), backbone.spec), matching,
             MaskedLM(MaskedLM.config_class(), backbone.spec)]
    batches = {"pairs": views(terms, "pairs"), "texts": views(terms[2:], "texts")}
    learner = Learner(backbone, [Term(weight, one) for weight, one in zip((1.0, 0.5, 2.0), terms, strict=True)])

    def gradients(size):
        learner.zero_grad()
        loss, _, _ = joint_gradient(learner, batches, CPU, size)
        return loss, {name: one.grad.clone() for name, one in learner.named_parameters()}

    (loss, whole), (same, cut) = gradients(0), gradients(micro_batch)
    assert torch.allclose(loss, same, atol=1e-5)
    assert all(torch.allclose(whole[name], cut[name], atol=1e-5) for name in whole)


def test_a_loss_that_is_no_row_a_sample_is_refused():
    _check_shapes("mine", {"loss": torch.zeros(4)}, 4)
    for wrong in (torch.zeros(()), torch.zeros(4, 2), torch.zeros(3)):
        with pytest.raises(UserError, match="of 'mine' returned 'loss' of shape"):
            _check_shapes("mine", {"loss": wrong}, 4)
