"""PrefixLM: its surgery row by row against the definition on thousands of texts, its law, and its loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from vlpbench.objectives.prefix_lm import Config, PrefixLM

T = 12


@pytest.fixture(scope="module")
def lengths():
    return np.random.default_rng(1).integers(1, T + 1, 4000)


def by_loop(batch, k):
    """The five arrays for prefixes of k tokens, one row and one place at a time."""
    rows, width = batch.tokens.shape
    known, said = np.zeros((rows, width), bool), np.zeros((rows, width), bool)
    inputs, targets = np.zeros((rows, width), int), np.zeros((rows, width), int)
    for b in range(rows):
        words = batch.tokens[b][batch.mask[b]].tolist()
        rest = words[k[b] :]
        known[b, : k[b]] = True
        said[b, : len(rest)] = True
        targets[b, : len(rest)] = rest
        inputs[b, : len(rest)] = [batch.vocabulary.bos, *rest[:-1]]
    return known, said, inputs, targets


@pytest.mark.parametrize("has_image", [True, False])
def test_surgery_is_the_definition(host, lengths, has_image):
    batch = host(lengths, T, has_image)
    found = PrefixLM.corrupt(batch, np.random.default_rng(0), Config())
    known, said, inputs, targets = by_loop(batch, found["known"].sum(1))
    assert np.array_equal(found["known"], known)
    assert np.array_equal(found["said"], said)
    assert np.array_equal(np.where(said, found["inputs"], 0), inputs)
    assert np.array_equal(np.where(said, found["targets"], 0), targets)
    assert np.array_equal(found["count"], said.sum(1))


@pytest.mark.parametrize("has_image", [True, False])
def test_prefix_and_targets_together_are_the_text(host, lengths, has_image):
    batch = host(lengths, T, has_image)
    found = PrefixLM.corrupt(batch, np.random.default_rng(0), Config())
    for b in range(len(batch)):
        again = [*batch.tokens[b][found["known"][b]], *found["targets"][b][found["said"][b]]]
        assert again == batch.tokens[b][batch.mask[b]].tolist()
        assert again[-1] == batch.vocabulary.eos
    assert found["count"].min() >= 1  # never nothing to say: its mean would be NaN
    assert (found["inputs"][:, 0] == batch.vocabulary.bos).all()


def lengths_of(host, n, has_image, shortest=1, rows=20_000):
    batch = host(np.full(rows, n), T, has_image)
    return PrefixLM.corrupt(batch, np.random.default_rng(5), Config(shortest))["known"].sum(1)


@pytest.mark.parametrize(("has_image", "shortest", "least"), [
    (True, 1, 0), (True, 4, 0), (False, 1, 1), (False, 3, 3), (False, 0, 0),
])
def test_lengths_are_uniform(host, has_image, shortest, least):
    found = np.bincount(lengths_of(host, 9, has_image, shortest), minlength=9)
    assert (found[:least] == 0).all() and len(found) == 9
    assert chisquare(found[least:]).pvalue > 1e-3


@pytest.mark.parametrize(("n", "shortest", "expected"), [
    (1, 1, {0}), (2, 1, {1}), (3, 5, {2}), (3, 2, {2}), (4, 2, {2, 3}),
])
def test_a_short_text_keeps_a_word_to_say(host, n, shortest, expected):
    assert set(lengths_of(host, n, False, shortest, 200)) == expected


def test_lengths_of_two_rows_are_drawn_apart(host):
    pairs = lengths_of(host, 9, True).reshape(-1, 2)
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.03


def test_a_pure_function_of_its_arguments(host, lengths):
    batch = host(lengths, T)
    before, global_state = (batch.tokens.copy(), batch.mask.copy()), np.random.get_state()[1].copy()
    first, again, other = (PrefixLM.corrupt(batch, np.random.default_rng(seed), Config()) for seed in (3, 3, 4))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not np.array_equal(first["known"], other["known"])
    assert np.array_equal(batch.tokens, before[0]) and np.array_equal(batch.mask, before[1])
    assert np.array_equal(np.random.get_state()[1], global_state)
    assert {key: one.shape for key, one in first.items()} == {
        "known": (4000, T), "inputs": (4000, T), "targets": (4000, T), "said": (4000, T), "count": (4000,),
    }


def test_a_shortest_below_zero_is_refused():
    with pytest.raises(ValueError, match="shortest is a number of tokens, not -1"):
        Config(shortest=-1)


@pytest.mark.parametrize("has_image", [True, False])
def test_loss_by_hand(host, crossed, decoding, has_image):
    objective = PrefixLM(Config(), decoding.spec)
    batch = crossed(host([8, 5, 2, 1], has_image=has_image), decoding, objective)
    with torch.no_grad():
        step = objective.loss(objective.encode(decoding, batch), batch)
    assert step.losses.shape == (4,)
    assert batch["count"].tolist() == batch["said"].sum(1).tolist()
    for b, k in enumerate(batch["known"].sum(1).tolist()):
        words = batch.tokens[b][batch.mask[b]]
        prefix = decoding.read(words[None, :k], torch.ones(1, k, dtype=torch.bool))
        if not has_image and k == 0:  # nothing to see: an encoder is shown BOS, one stack starts with what it says
            shown = torch.full((1, 1), decoding.name == "encoder-decoder")
            prefix = decoding.read(torch.full((1, 1), batch.vocabulary.bos), shown)
        image = decoding.see(batch.images[b : b + 1]) if has_image else None
        inputs = torch.cat([torch.tensor([batch.vocabulary.bos]), words[k:-1]])[None]
        with torch.no_grad():
            text = decoding.read(inputs, torch.ones_like(inputs, dtype=torch.bool))
            logits = decoding.logits(decoding.decode(decoding.context(image, prefix), text))[0]
        expected = torch.nn.functional.cross_entropy(logits, words[k:], reduction="sum")
        assert torch.allclose(step.losses[b], expected, rtol=1e-4)


def test_declared():
    assert (PrefixLM.name, PrefixLM.uses, PrefixLM.trains) == ("prefix-lm", {"pairs", "texts"}, {"decode"})
    assert PrefixLM.needs_with(Config()) == {"context", "decode"}
    assert PrefixLM.visible_with(Config()) == "all"
