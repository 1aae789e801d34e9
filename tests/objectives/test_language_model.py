"""The naive LM says every word; PrefixLM with nothing known is the LM that sees the whole picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vlpbench.objectives.language_model import Config, LanguageModel
from vlpbench.objectives.prefix_lm import Config as PrefixConfig
from vlpbench.objectives.prefix_lm import PrefixLM


@pytest.fixture(autouse=True)
def _no_gradient():
    with torch.no_grad():
        yield


def losses(objective, backbone, batch):
    return objective.loss(objective.encode(backbone, batch), batch).losses


def test_surgery_by_loop(host):
    batch = host(np.random.default_rng(1).integers(1, 9, 500))
    found = LanguageModel.corrupt(batch, np.random.default_rng(0), Config())
    for row, inputs in zip(batch.tokens, found["inputs"], strict=True):
        assert inputs.tolist() == [batch.vocabulary.bos, *row[:-1]]
    assert np.array_equal(found["count"], batch.mask.sum(1))
    assert found["nothing"].shape == (500, 1) and not found["nothing"].any()


def test_nothing_is_drawn_and_nothing_written_over(host):
    batch, rng = host([8, 3]), np.random.default_rng(0)
    before, state = batch.tokens.copy(), rng.bit_generator.state
    LanguageModel.corrupt(batch, rng, Config())
    assert rng.bit_generator.state == state
    assert np.array_equal(batch.tokens, before)


@pytest.mark.parametrize("visible", ["all", "causal", "causal-text"])
@pytest.mark.parametrize("has_image", [True, False])
def test_loss_by_hand(host, crossed, decoding, visible, has_image):
    objective = LanguageModel(Config(visible), decoding.spec)
    batch = crossed(host([8, 5, 1], has_image=has_image), decoding, objective)
    found = losses(objective, decoding, batch)
    for b in range(3):
        words, bos = batch.tokens[b][batch.mask[b]], torch.tensor([batch.vocabulary.bos])
        shown = torch.full((1, 1), decoding.name == "encoder-decoder")  # else the stack starts with what it says
        image = decoding.see(batch.images[b : b + 1]) if has_image else None
        context = decoding.context(image, None if has_image else decoding.read(bos[None], shown), visible)
        inputs = torch.cat([bos, words[:-1]])[None]
        logits = decoding.logits(decoding.decode(context, decoding.read(inputs, torch.ones_like(inputs).bool())))[0]
        expected = sum(-logits[t].log_softmax(-1)[words[t]] for t in range(len(words)))
        assert torch.allclose(found[b], expected, rtol=1e-4)


def test_prefix_lm_with_nothing_known_is_this_with_everything_visible(host, crossed, decoding):
    """Rows whose prefix came out empty, pictures and all, lose as much as in captioning."""
    host_batch = host(np.full(24, 6))
    prefix = PrefixLM(PrefixConfig(), decoding.spec)
    captioning = LanguageModel(Config("all"), decoding.spec)
    some = crossed(host_batch, decoding, prefix)
    empty = some["known"].sum(1) == 0
    assert 1 <= empty.sum() < 24
    one, other = losses(prefix, decoding, some), losses(captioning, decoding, crossed(host_batch, decoding, captioning))
    assert torch.allclose(one[empty], other[empty], rtol=1e-4)
    assert not torch.isclose(one[~empty], other[~empty], rtol=1e-4).any()


def test_prefix_lm_with_nothing_known_is_this_for_texts_too(host, crossed, decoding):
    host_batch = host([1, 1], has_image=False)  # a text of one token has no prefix to give
    prefix, plain = PrefixLM(PrefixConfig(), decoding.spec), LanguageModel(Config(), decoding.spec)
    one = losses(prefix, decoding, crossed(host_batch, decoding, prefix))
    assert torch.allclose(one, losses(plain, decoding, crossed(host_batch, decoding, plain)), rtol=1e-4)


def test_who_sees_whom_in_the_picture_matters(host, crossed, decoding):
    found = []
    for visible in ("all", "causal", "causal-text"):
        objective = LanguageModel(Config(visible), decoding.spec)
        found.append(losses(objective, decoding, crossed(host([8, 5]), decoding, objective)))
    assert not torch.allclose(found[0], found[1], rtol=1e-4)
    assert torch.allclose(found[0], found[2], rtol=1e-4)  # no word stands in the encoder


@pytest.mark.parametrize(("visible", "raster"), [("causal", True), ("causal-text", False), ("all", False)])
def test_the_two_readings_of_the_naive_lm(host, crossed, decoding, visible, raster):
    """Causal over image tokens in raster order, or not: whether a token knows of the patches below and right of it."""
    batch = crossed(host([8]), decoding)
    reading = LanguageModel.visible_with(Config(visible))
    plain = decoding.context(batch.image, None, reading).memory
    rows, columns = decoding.spec.grid
    side = batch.images.shape[-1] // rows
    for place in range(rows * columns):
        row, column = divmod(place, columns)
        pixels = batch.images.clone()
        pixels[..., row * side : (row + 1) * side, column * side : (column + 1) * side] += 1.0
        changed = ~torch.isclose(decoding.context(decoding.see(pixels), None, reading).memory, plain, atol=1e-5).all(2)
        assert changed[0].tolist() == [not raster or other >= place for other in range(rows * columns)]


@pytest.mark.parametrize("visible", ["all", "causal", "causal-text"])
def test_every_word_hears_of_every_patch_and_of_no_later_word(host, crossed, decoding, visible):
    """The last patch is seen by the first word; a word changes what is said after it, never what was said before."""
    objective = LanguageModel(Config(visible), decoding.spec)
    batch = crossed(host([8, 8]), decoding, objective)
    plain = objective.encode(decoding, batch)["nll"]
    pixels = batch.images.clone()
    pixels[..., -8:, -8:] += 1.0
    seen = objective.encode(decoding, replace(batch, image=decoding.see(pixels)))["nll"]
    assert not torch.isclose(seen, plain, atol=1e-6).any()
    inputs = batch["inputs"].clone()
    inputs[:, 4] = 39
    said = objective.encode(decoding, replace(batch, extras={**batch.extras, "inputs": inputs}))["nll"]
    assert torch.allclose(said[:, :4], plain[:, :4], atol=1e-5)
    assert not torch.isclose(said[:, 4:], plain[:, 4:], atol=1e-6).any()


def test_padding_is_not_counted(host, crossed, decoding):
    objective = LanguageModel(Config(), decoding.spec)
    batch = host([3, 2])
    batch.tokens[~batch.mask] = 30  # what stands behind the end has no say
    plain = losses(objective, decoding, crossed(host([3, 2]), decoding, objective))
    assert torch.allclose(losses(objective, decoding, crossed(batch, decoding, objective)), plain)


def test_declared():
    assert (LanguageModel.name, LanguageModel.uses, LanguageModel.trains) == (
        "language-model", {"pairs", "texts"}, {"decode"},
    )
    assert LanguageModel.needs_with(Config()) == {"context", "decode"}
    assert LanguageModel.visible_with(Config()) == "causal"
    assert LanguageModel.visible_with(Config("causal-text")) == "causal-text"
