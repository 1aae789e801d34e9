"""Span corruption: nothing is lost, each word is hidden equally often, spans are numbered once, the loss by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from vlpbench.objectives.span_corruption import Config, SpanCorruption, _with_holes
from vlpbench.types import Vocabulary

T = 31
MANY = Vocabulary(64, 0, 1, 2, 3, 4, tuple(range(40, 56)))  # sixteen sentinels, none of them a word of `host`
SETTINGS = [Config(), Config(0.5), Config(0.5, 1.0), Config(0.9, 2.0)]


@pytest.fixture
def texts(host):
    return lambda lengths, width=T, **more: replace(host(lengths, width, **more), vocabulary=MANY)


@pytest.fixture
def hidden_of(texts):
    """Which of n words are hidden, in each of `rows` texts, read off the arrays alone."""

    def find(n, config, rows=4000, seed=5):
        batch = texts(np.full(rows, n + 1))
        batch.tokens[:, :n] = np.arange(7, 7 + n)  # distinct words tell where they stood
        found = SpanCorruption.corrupt(batch, np.random.default_rng(seed), config)
        kept = np.where(found["present"], found["corrupted"], 0)
        return ~(kept[:, :, None] == np.arange(7, 7 + n)).any(1)

    return find


def reassembled(corrupted, target):
    """The source, from what is read and what is said: each sentinel gives way to the words behind it."""
    spans, said = {}, []
    for token in target[:-1]:
        if token in MANY.sentinels:
            assert token not in spans
            said = spans[token] = []
        else:
            said.append(token)
    assert target[-1] == MANY.eos and all(spans.values())
    holes = [token for token in corrupted if token in MANY.sentinels]
    assert holes == list(spans) == list(MANY.sentinels[: len(holes)])  # in text order on both sides, from the first on
    return [word for token in corrupted for word in spans.get(token, [token])]


@pytest.mark.parametrize("config", SETTINGS)
@pytest.mark.parametrize("has_image", [True, False])
def test_source_is_reassembled_from_input_and_target(texts, config, has_image):
    batch = texts(np.random.default_rng(1).integers(1, T, 2000), has_image=has_image)  # none too long
    found = SpanCorruption.corrupt(batch, np.random.default_rng(0), config)
    for b in range(len(batch)):
        source = batch.tokens[b][batch.mask[b]].tolist()
        target = found["targets"][b][found["said"][b]].tolist()
        assert reassembled(found["corrupted"][b][found["present"][b]].tolist(), target) == source
        assert found["inputs"][b][: len(target)].tolist() == [MANY.bos, *target[:-1]]
        assert found["count"][b] == len(target)
    for rows, there in (("corrupted", "present"), ("targets", "said")):
        assert (found[there][:, :-1] >= found[there][:, 1:]).all()  # words first, padding behind them
        assert (found[rows][~found[there]] == MANY.pad).all()


@pytest.mark.parametrize("n", range(2, 31))
def test_every_word_is_hidden_equally_often(hidden_of, n):
    """A mask of T5 would hide the last words only, for all of these n."""
    for config in (Config(), Config(0.5, 2.0)):
        hidden = hidden_of(n, config)
        amount = hidden.sum(1)
        assert amount.min() == amount.max() == min(max(round(config.rate * n), 1), n - 1)
        rate = amount[0] / n
        deviation = (hidden.sum(0) - len(hidden) * rate) ** 2 / (len(hidden) * rate * (1 - rate))
        assert deviation.sum() < 2.5 * n + 15  # of mean n at most, were the words drawn one by one


def runs(marked):
    """Lengths of the runs of True in a row that starts with False."""
    return tuple(len(run) for run in "".join("x" if one else " " for one in marked).split())


def test_lengths_of_spans_and_gaps_are_uniform_compositions(hidden_of):
    """Of 9 words 4 are hidden in 2 spans: on the circle 1 + 3, 2 + 2 or 3 + 1, between gaps of 1 + 4 to 4 + 1."""
    hidden = hidden_of(9, Config(0.45, 2.0), rows=20_000)
    from_gap = [runs(np.roll(row, -np.argmin(row))) for row in hidden]
    from_span = [runs(~np.roll(row, -np.argmax(row))) for row in hidden]
    assert set(map(len, from_gap)) == {2} and set(map(len, from_span)) == {2}
    spans = np.bincount([max(lengths) for lengths in from_gap])[2:]
    gaps = np.bincount([max(lengths) for lengths in from_span])[3:]
    assert chisquare(spans, 20_000 * np.array([1, 2]) / 3).pvalue > 1e-3
    assert chisquare(gaps, 20_000 * np.array([2, 2]) / 4).pvalue > 1e-3


@pytest.mark.parametrize(("n", "config", "hidden", "spans"), [
    (1, Config(), 1, {1}), (2, Config(), 1, {1}), (2, Config(0.9), 1, {1}), (3, Config(0.9), 2, {1, 2}),
    (10, Config(), 2, {1, 2}), (30, Config(), 4, {1, 2}), (30, Config(0.5), 15, {5, 6}),
    (30, Config(0.5, 1.0), 15, {15}),
    (8, Config(0.9, 1.0), 7, {1, 2}),  # one kept word has room for one span
])
def test_amounts(hidden_of, n, config, hidden, spans):
    found = hidden_of(n, config)
    starts = (found & ~np.pad(found, ((0, 0), (1, 0)))[:, :-1]).sum(1)
    assert set(found.sum(1)) == {hidden} and set(starts) == spans


def test_sentinels_limit_the_spans(host):
    """With two of them the spans of long texts are one, so that the seam may cut it."""
    batch = host(np.full(500, T), T)
    found = SpanCorruption.corrupt(batch, np.random.default_rng(0), Config(0.5))
    holes = np.isin(found["corrupted"], batch.vocabulary.sentinels).sum(1)
    assert set(holes) == {1, 2}


@pytest.mark.parametrize(("hidden", "corrupted", "target"), [
    ([1, 2], [7, 40, 10, 11, 2], [40, 8, 9, 2]),
    ([3, 4], [7, 8, 9, 40, 2], [40, 10, 11, 2]),
    ([0, 1], [40, 9, 10, 11, 2], [40, 7, 8, 2]),
    ([0, 3, 4], [40, 8, 9, 41, 2], [40, 7, 41, 10, 11, 2]),  # T5, rolled, would not name the first span at all
    ([0, 2, 4], [40, 8, 41, 10, 42, 2], [40, 7, 41, 9, 42, 11, 2]),
    ([0, 1, 2, 3, 4], [40, 2], [40, 7, 8, 9, 10, 11, 2]),
    ([], [7, 8, 9, 10, 11, 2], [2]),
])
def test_known_answers(texts, hidden, corrupted, target):
    batch = texts([6, 6], 8)
    batch.tokens[:, :5] = np.arange(7, 12)
    found = _with_holes(batch, np.tile(np.isin(np.arange(8), hidden), (2, 1)), 8)
    for b in range(2):
        assert found["corrupted"][b].tolist() == corrupted + [0] * (8 - len(corrupted))
        assert found["targets"][b].tolist() == target + [0] * (8 - len(target))
        assert found["inputs"][b].tolist() == [1, *found["targets"][b][:-1]]
        assert found["said"][b].sum() == len(target) and found["present"][b].sum() == len(corrupted)


def test_a_text_of_its_end_alone_says_its_end(texts):
    found = SpanCorruption.corrupt(texts([1, 1]), np.random.default_rng(0), Config())
    assert found["corrupted"][:, 0].tolist() == found["targets"][:, 0].tolist() == [MANY.eos] * 2
    assert found["count"].tolist() == [1, 1] and found["present"].sum() == 2


def test_the_longest_text_of_two_tokens_loses_its_end(texts):
    """The one case at common rates where a target does not fit: sentinel, word, end into two places."""
    batch = texts([2, 2], 2)
    found = SpanCorruption.corrupt(batch, np.random.default_rng(0), Config())
    assert found["targets"].tolist() == [[40, word] for word in batch.tokens[:, 0]]
    assert found["count"].tolist() == [2, 2]


def test_nothing_is_cut_at_the_longest_text(texts):
    for width in (3, 8, 16, T):
        batch = texts(np.full(400, width), width)
        found = SpanCorruption.corrupt(batch, np.random.default_rng(0), Config())
        ends = np.take_along_axis(found["targets"], found["count"][:, None] - 1, 1)
        assert (ends == MANY.eos).all()
        assert found["targets"].shape[1] <= width


def test_a_pure_function_of_its_arguments(texts):
    batch = texts(np.random.default_rng(1).integers(1, T, 500))
    before, global_state = (batch.tokens.copy(), batch.mask.copy()), np.random.get_state()[1].copy()
    first, again, other = (SpanCorruption.corrupt(batch, np.random.default_rng(seed), Config()) for seed in (3, 3, 4))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not np.array_equal(first["corrupted"], other["corrupted"])
    assert np.array_equal(batch.tokens, before[0]) and np.array_equal(batch.mask, before[1])
    assert np.array_equal(np.random.get_state()[1], global_state)
    assert {key: one.shape for key, one in first.items()} == {
        "corrupted": (500, T), "present": (500, T), "inputs": (500, 7), "targets": (500, 7), "said": (500, 7),
        "count": (500,),
    }  # 4 of 30 words in one span that the seam cuts: two sentinels, four words, the end


def test_two_rows_are_drawn_apart(hidden_of):
    pairs = np.argmax(hidden_of(20, Config()), 1).reshape(-1, 2)
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.06


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"rate": 1.0}, {"mean": 0.5}])
def test_settings_that_mean_nothing(wrong):
    with pytest.raises(ValueError, match=r"rate is a share|mean is a number"):
        Config(**wrong)


def test_a_tokenizer_without_sentinels_is_refused(decoding):
    spec = replace(decoding.spec, vocabulary=replace(MANY, sentinels=(40,)))
    with pytest.raises(ValueError, match="two sentinels or more"):
        SpanCorruption(Config(), spec)


@pytest.mark.parametrize("has_image", [True, False])
def test_loss_by_hand(host, crossed, decoding, has_image):
    objective = SpanCorruption(Config(0.4, 2.0), decoding.spec)
    batch = crossed(host([8, 5, 2, 1], has_image=has_image), decoding, objective)
    with torch.no_grad():
        step = objective.loss(objective.encode(decoding, batch), batch)
    assert step.losses.shape == (4,)
    for b in range(4):
        source, target = batch["corrupted"][b][batch["present"][b]], batch["targets"][b][batch["said"][b]]
        inputs = torch.cat([torch.tensor([batch.vocabulary.bos]), target[:-1]])[None]
        image = decoding.see(batch.images[b : b + 1]) if has_image else None
        with torch.no_grad():
            context = decoding.context(image, decoding.read(source[None], torch.ones(1, len(source)).bool()))
            text = decoding.read(inputs, torch.ones_like(inputs, dtype=torch.bool))
            logits = decoding.logits(decoding.decode(context, text))[0]
        expected = sum(-logits[t].log_softmax(-1)[target[t]] for t in range(len(target)))
        assert torch.allclose(step.losses[b], expected, rtol=1e-4)


def test_declared():
    assert (SpanCorruption.name, SpanCorruption.uses, SpanCorruption.trains) == (
        "span-corruption", {"pairs", "texts"}, {"decode"},
    )
    assert SpanCorruption.needs_with(Config()) == {"context", "decode"}
    assert SpanCorruption.visible_with(Config()) == "all"
