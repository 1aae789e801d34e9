"""Changed copies of texts: what may be hidden, swapped or deleted, how much of it, and what always stays."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from vlpbench_contrastive.text_views import hidden_words, swapped_or_deleted

from vlpbench.plugin import Batch, Vocabulary

VOCABULARY = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
FIRST = 7
T = 12


def texts(lengths, seed=0):
    """Texts of so many tokens, the end included; all words of a text differ."""
    rng, lengths = np.random.default_rng(seed), np.asarray(lengths)
    words = rng.permuted(np.tile(np.arange(FIRST, VOCABULARY.size), (len(lengths), 1)), axis=1)[:, :T]
    mask = np.arange(T) < lengths[:, None]
    tokens = np.where(mask, words, VOCABULARY.pad)
    tokens[np.arange(len(lengths)), lengths - 1] = VOCABULARY.eos
    ids = np.arange(len(lengths))
    return Batch(None, tokens, mask, ids, ids, np.float32(0), VOCABULARY)


def read(tokens, mask):
    return [row[there].tolist() for row, there in zip(tokens, mask, strict=True)]


@pytest.fixture
def many():
    return texts(np.random.default_rng(3).integers(2, T + 1, 4_000))


@pytest.mark.parametrize("rate", [0.15, 0.5, 1.0])
def test_so_many_words_are_hidden(rate):
    lengths = [1, 2, 3, 8, T]
    given = texts(lengths)
    made = hidden_words(given, np.random.default_rng(0), rate, 0.8, 0.1)
    for row, length in enumerate(lengths):
        words = length - 1
        said = made["said"][row]
        assert said.sum() == min(words, max(1, round(rate * words)))
        places = made["places"][row][said]
        assert len(set(places.tolist())) == len(places) and (places < words).all()
        assert np.array_equal(made["targets"][row][said], given.tokens[row, places])
        others = np.setdiff1d(np.arange(T), places)
        assert np.array_equal(made["hidden"][row, others], given.tokens[row, others])
    assert made["places"].shape == made["targets"].shape == made["said"].shape


def test_of_hidden_words_eight_in_ten_are_masked_and_one_is_another(many):
    made = hidden_words(many, np.random.default_rng(1), 0.15, 0.8, 0.1)
    seen = np.take_along_axis(made["hidden"], made["places"], 1)[made["said"]]
    masked, kept = seen == VOCABULARY.mask, seen == made["targets"][made["said"]]
    assert masked.mean() == pytest.approx(0.8, abs=0.03) and kept.mean() == pytest.approx(0.1, abs=0.03)
    assert (seen[~masked] >= FIRST).all()
    for masks, swaps, expected in ((1.0, 0.0, VOCABULARY.mask), (0.0, 0.0, None)):
        made = hidden_words(many, np.random.default_rng(1), 0.15, masks, swaps)
        seen = np.take_along_axis(made["hidden"], made["places"], 1)[made["said"]]
        assert np.array_equal(seen, made["targets"][made["said"]] if expected is None else np.full_like(seen, expected))


def test_every_word_is_hidden_as_often():
    made = hidden_words(texts([T] * 4_000), np.random.default_rng(2), 0.3, 0.8, 0.1)
    often = np.bincount(made["places"][made["said"]], minlength=T)
    assert often[T - 1] == 0 and often[: T - 1].min() > 0.85 * often[: T - 1].max()


def test_half_have_two_words_swapped_and_half_have_lost_some(many):
    tokens, mask = swapped_or_deleted(many, np.random.default_rng(4), 0.5)
    kinds = Counter()
    for before, after in zip(read(many.tokens, many.mask), read(tokens, mask), strict=True):
        assert after[-1] == VOCABULARY.eos and VOCABULARY.eos not in after[:-1]
        moved = [place for place, (x, y) in enumerate(zip(before, after, strict=False)) if x != y]
        if len(before) == len(after) and moved:
            first, second = moved
            assert before[first] == after[second] and before[second] == after[first]
            kinds["swapped"] += 1
        else:
            assert after == [word for word in before if word in after]  # a part of it in its order
            assert len(after) >= 2
            kinds["deleted"] += len(after) < len(before)
    assert kinds["swapped"] == pytest.approx(2_000 * 10 / 11, rel=0.1)
    assert kinds["deleted"] > 1_500


def test_a_tenth_of_the_words_is_deleted():
    given = texts([T] * 4_000)
    tokens, mask = swapped_or_deleted(given, np.random.default_rng(5), 0.1)
    shorter = mask.sum(1)[mask.sum(1) < T]
    assert (T - shorter).sum() / (2_000 * (T - 1)) == pytest.approx(0.1, abs=0.01)
    assert (tokens[~mask] == VOCABULARY.pad).all() and (tokens[mask] != VOCABULARY.pad).all()


def test_any_two_words_change_places():
    given = texts([T] * 6_000)
    tokens, _ = swapped_or_deleted(given, np.random.default_rng(6), 0.0)
    moved = (tokens != given.tokens).sum(0)
    assert moved[T - 1] == 0 and moved[: T - 1].min() > 0.8 * moved[: T - 1].max()
    assert moved.sum() == pytest.approx(6_000, rel=0.05)  # two words in half of the texts


def test_one_word_always_stays():
    given = texts([T, 5, 2] * 50)
    tokens, mask = swapped_or_deleted(given, np.random.default_rng(7), 1.0)
    assert set(mask.sum(1).tolist()) == {2, 5, T}
    stayed = {given.tokens[row].tolist().index(tokens[row, 0]) for row in range(0, 150, 3) if mask[row].sum() == 2}
    assert len(stayed) > 4


@pytest.mark.parametrize("length", [1, 2])
def test_texts_without_a_choice_stay_as_they_are(length):
    given = texts([length] * 40)
    tokens, mask = swapped_or_deleted(given, np.random.default_rng(8), 0.9)
    assert np.array_equal(tokens, given.tokens) and np.array_equal(mask, given.mask)
    if length == 1:
        made = hidden_words(given, np.random.default_rng(8), 0.15, 0.8, 0.1)
        assert np.array_equal(made["hidden"], given.tokens) and not made["said"].any()


def test_what_lies_under_the_padding_is_not_looked_at(many):
    other = replace(many, tokens=np.where(many.mask, many.tokens, 33))
    for made in (lambda one: swapped_or_deleted(one, np.random.default_rng(9), 0.3),
                 lambda one: [hidden_words(one, np.random.default_rng(9), 0.15, 0.8, 0.1)["hidden"], one.mask]):
        assert read(*made(many)) == read(*made(other))


def test_the_batch_itself_is_left_alone(many):
    before = many.tokens.copy(), many.mask.copy()
    hidden_words(many, np.random.default_rng(0), 0.5, 0.8, 0.1)
    swapped_or_deleted(many, np.random.default_rng(0), 0.5)
    assert np.array_equal(many.tokens, before[0]) and np.array_equal(many.mask, before[1])
