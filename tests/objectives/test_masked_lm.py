"""Masked LM: how many words are hidden and how, where the loss is taken, and the loss by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from vlpbench.objectives.masked_lm import Config, MaskedLM

T = 12
SPECIAL = (0, 1, 2, 3, 4, 5, 6)


@pytest.fixture
def surgery(host):
    def make(lengths, config=None, seed=0, **more):
        batch = host(lengths, T, **more)
        return batch, MaskedLM.corrupt(batch, np.random.default_rng(seed), config or Config())

    return make


@pytest.mark.parametrize("rate", [0.15, 0.4, 1.0])
def test_surgery_is_the_definition(surgery, rate):
    batch, found = surgery(np.random.default_rng(1).integers(1, T + 1, 4000), Config(rate))
    assert found["places"].shape == (4000, max(1, round(rate * (T - 1))))
    for b in range(len(batch)):
        n = batch.mask[b].sum() - 1
        places = found["places"][b][found["said"][b]]
        assert len(places) == len(set(places)) == (min(n, max(1, round(rate * n))))
        assert (places < n).all()  # never the end of sentence, never padding
        assert found["targets"][b][found["said"][b]].tolist() == batch.tokens[b][places].tolist()
        elsewhere = np.setdiff1d(np.arange(T), places)
        assert np.array_equal(found["corrupted"][b][elsewhere], batch.tokens[b][elsewhere])
    assert np.array_equal(found["count"], found["said"].sum(1))


def test_every_word_is_hidden_equally_often(surgery):
    for n in (2, 5, 11):
        _, found = surgery(np.full(20_000, n + 1), Config(0.3))
        often = np.bincount(found["places"][found["said"]], minlength=n)
        assert len(often) == n and chisquare(often).pvalue > 1e-3


@pytest.mark.parametrize(("masked", "swapped"), [(0.8, 0.1), (0.0, 0.5), (1.0, 0.0)])
def test_fates_have_their_shares(surgery, masked, swapped):
    batch, found = surgery(np.full(20_000, 9), Config(0.3, masked, swapped))
    written = np.take_along_axis(found["corrupted"], found["places"], 1)[found["said"]]
    before = found["targets"][found["said"]]
    hidden, changed = written == batch.vocabulary.mask, written != before
    ordinary = batch.vocabulary.size - len(SPECIAL)
    assert hidden.mean() == pytest.approx(masked, abs=0.01)
    assert (changed & ~hidden).mean() == pytest.approx(swapped * (1 - 1 / ordinary), abs=0.01)
    assert not np.isin(written[~hidden], SPECIAL).any()  # no special id is ever drawn for a word


def test_swapped_words_are_drawn_from_all_words_equally(surgery):
    batch, found = surgery(np.full(20_000, 9), Config(0.5, 0.0, 1.0))
    written = np.take_along_axis(found["corrupted"], found["places"], 1)[found["said"]]
    often = np.bincount(written, minlength=batch.vocabulary.size)
    assert often[: len(SPECIAL)].sum() == 0 and chisquare(often[len(SPECIAL) :]).pvalue > 1e-3


def test_known_answers(surgery):
    batch, found = surgery([4, 1], Config(1.0, 1.0, 0.0))
    assert found["corrupted"].tolist() == [[4, 4, 4, 2, *[0] * 8], [2, *[0] * 11]]
    assert sorted(found["places"][0][:3]) == [0, 1, 2] and found["count"].tolist() == [3, 0]
    _, kept = surgery([4, 1], Config(1.0, 0.0, 0.0))
    assert np.array_equal(kept["corrupted"], batch.tokens) and kept["count"].tolist() == [3, 0]


def test_a_pure_function_of_its_arguments(surgery):
    lengths = np.random.default_rng(1).integers(1, T + 1, 500)
    global_state = np.random.get_state()[1].copy()
    batch, first = surgery(lengths, seed=3)
    untouched, again = surgery(lengths, seed=3)
    _, other = surgery(lengths, seed=4)
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not np.array_equal(first["corrupted"], other["corrupted"])
    assert np.array_equal(batch.tokens, untouched.tokens) and not np.isin(batch.tokens, [4]).any()
    assert np.array_equal(np.random.get_state()[1], global_state)


@pytest.mark.parametrize("transform", [True, False])
@pytest.mark.parametrize("has_image", [True, False])
def test_loss_by_hand(host, crossed, fusing, has_image, transform):
    objective = MaskedLM(Config(0.5, transform=transform), fusing.spec)
    batch = crossed(host([8, 5, 2, 1], has_image=has_image), fusing, objective)
    with torch.no_grad():
        step = objective.loss(objective.encode(fusing, batch), batch)
        for b in range(4):
            words = batch["corrupted"][b][batch.mask[b]]
            text = fusing.read(words[None], torch.ones(1, len(words), dtype=torch.bool))
            alone = fusing.text_tokens(text) if not has_image else None
            seen = fusing.fused_tokens(fusing.see(batch.images[b : b + 1]), text)[1] if has_image else alone
            expected = torch.zeros(())
            for t in batch["places"][b][batch["said"][b]].tolist():
                logits = fusing.logits(objective.head(seen[0, t]))
                expected = expected - logits.log_softmax(-1)[batch.tokens[b, t]]
            assert torch.allclose(step.losses[b], expected, rtol=1e-4)
    assert step.losses[3] == 0 and torch.isfinite(step.losses).all()  # an end of sentence alone: no target, no NaN


def test_a_batch_without_a_word_has_a_gradient_of_zero(host, crossed, fusing):
    objective = MaskedLM(Config(), fusing.spec)
    batch = crossed(host([1, 1]), fusing, objective)
    objective.loss(objective.encode(fusing, batch), batch).losses.sum().backward()
    assert all(torch.equal(one.grad, torch.zeros_like(one)) for one in objective.parameters())
    fusing.zero_grad()


def test_the_picture_and_later_words_are_seen(host, crossed, fusing):
    objective = MaskedLM(Config(), fusing.spec)
    batch = crossed(host([8, 8]), fusing, objective)
    with torch.no_grad():
        plain = objective.encode(fusing, batch)["nll"]
        other = replace(batch, image=fusing.see(batch.images.flip(0)))
        assert not torch.allclose(objective.encode(fusing, other)["nll"], plain)


def test_the_head_is_bert_s_or_none():
    spec = type("Spec", (), {"width": 6})()
    assert [type(part).__name__ for part in MaskedLM(Config(), spec).head] == ["Linear", "GELU", "LayerNorm"]
    assert list(MaskedLM(Config(transform=False), spec).parameters()) == []


@pytest.mark.parametrize("wrong", [
    {"rate": 0.0}, {"rate": 1.1}, {"masked": 0.8, "swapped": 0.3}, {"masked": -0.1}, {"swapped": -0.1},
])
def test_settings_that_mean_nothing(wrong):
    with pytest.raises(ValueError, match=r"rate is a share|shares of one whole"):
        Config(**wrong)


def test_declared():
    assert (MaskedLM.name, MaskedLM.uses, MaskedLM.trains) == ("masked-lm", {"pairs", "texts"}, frozenset())
    assert MaskedLM.needs_with(Config()) == {"fused_tokens", "text_tokens"}
