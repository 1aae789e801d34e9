"""Tokens made once: the same as the tokenizer says, found again, made anew when damaged, kept for the right texts."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from vlpbench.config.settings import TextSettings
from vlpbench.data import token_store as module
from vlpbench.data.token_store import encoded
from vlpbench.data.tokenizer import Tokenizer

RNG = np.random.default_rng(0)
WORDS = ["a", "red", "dog", "on", "the", "mat", "näve", "\ud800", "<pad>", "1,000", "\U0001f600"]
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(1, 12))) for _ in range(1500)] + ["dog " * 40, " "]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS, TextSettings(vocabulary=330))


def same(found, tokenizer, texts, length):
    tokens, mask = tokenizer.encode(texts, found.tokens.shape[1])
    lengths = tokenizer.lengths(texts)
    return (
        np.array_equal(found.tokens, tokens) and np.array_equal(found.mask, mask) and found.mask.dtype == np.bool_
        and np.array_equal(found.lengths, lengths)
        and found.tokens.shape[1] == max(2, min(length, lengths.max()))
    )


def files(cache):
    return sorted((cache / "tokens").glob("*.npy"))


def never(*said):
    pytest.fail("cut again")


@pytest.mark.parametrize("length", [2, 5, 20, 500])
def test_they_are_those_of_the_tokenizer(tokenizer, cache, length, monkeypatch):
    assert same(encoded(TEXTS, tokenizer, length, None), tokenizer, TEXTS, length)
    assert same(encoded(TEXTS, tokenizer, length, cache), tokenizer, TEXTS, length)
    monkeypatch.setattr(module, "_cut", never)
    again = encoded(TEXTS, tokenizer, length, cache)
    monkeypatch.undo()
    assert same(again, tokenizer, TEXTS, length)
    assert again.tokens.dtype == np.int32


def test_many_pieces_of_a_list_give_the_same_as_one(tokenizer, monkeypatch):
    whole = encoded(TEXTS, tokenizer, 30, None)
    monkeypatch.setattr(module, "_TOGETHER", 7)
    parts = encoded(TEXTS, tokenizer, 30, None)
    assert np.array_equal(whole.tokens, parts.tokens)
    assert np.array_equal(whole.lengths, parts.lengths)


def test_a_few_texts_leave_no_file(tokenizer, cache):
    assert same(encoded(TEXTS[:20], tokenizer, 9, cache), tokenizer, TEXTS[:20], 9)
    assert not cache.exists()


def test_they_are_mapped_and_cannot_be_written(tokenizer, cache):
    tokens = encoded(TEXTS, tokenizer, 9, cache).tokens
    with pytest.raises(ValueError, match="read-only"):
        tokens[0] = 0


def test_texts_their_order_length_and_tokenizer_make_another_file(tokenizer, cache):
    joined = [TEXTS[0] + TEXTS[1], "", *TEXTS[2:]]
    split = [TEXTS[0], TEXTS[1], *TEXTS[2:]]
    other = Tokenizer.train(TEXTS, TextSettings(vocabulary=310))
    asked = [(split, tokenizer, 9), (joined, tokenizer, 9), (split[::-1], tokenizer, 9), (split, tokenizer, 8),
             (split, other, 9)]
    for number, (texts, how, length) in enumerate(asked, start=1):
        assert same(encoded(texts, how, length, cache), how, texts, length)
        assert len(files(cache)) == number


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "other", "index", "no index", "list", "nonsense"])
def test_what_is_damaged_is_made_anew(tokenizer, cache, harm):
    encoded(TEXTS, tokenizer, 9, cache)
    (path,) = files(cache)
    index, raw = path.with_suffix(".json"), path.read_bytes()
    if harm == "cut":
        path.write_bytes(raw[:-100])
    elif harm == "flipped":
        path.write_bytes(raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "other":  # whole, but not of these texts
        np.save(path, np.zeros((3, 10), np.int32))
        held = json.loads(index.read_text())
        index.write_text(json.dumps({**held, "checksum": module.checksum(path)}))
    elif harm == "no index":
        index.unlink()
    else:
        index.write_text({"index": "{", "list": "[]", "nonsense": '{"version": 1, "checksum": "x"}'}[harm])
    assert same(encoded(TEXTS, tokenizer, 9, cache), tokenizer, TEXTS, 9)
    assert files(cache)[0].read_bytes() == raw


def test_a_pickle_in_its_place_is_not_opened(tokenizer, cache):
    encoded(TEXTS, tokenizer, 9, cache)
    (path,) = files(cache)
    np.save(path, np.array([print], object), allow_pickle=True)
    held = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**held, "checksum": module.checksum(path)}))
    assert same(encoded(TEXTS, tokenizer, 9, cache), tokenizer, TEXTS, 9)


def test_a_cache_that_cannot_be_written_costs_time_alone(tokenizer, tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert same(encoded(TEXTS, tokenizer, 9, tmp_path / "file"), tokenizer, TEXTS, 9)


ONE = """
import sys
from pathlib import Path
from vlpbench.data import token_store
from vlpbench.data.tokenizer import Tokenizer
cut = token_store._cut
token_store._cut = lambda *said: print("cut") or cut(*said)
texts = [f"a dog number {n}" for n in range(5000)]
print(int(token_store.encoded(texts, Tokenizer.load(Path(sys.argv[1])), 9, Path(sys.argv[2])).tokens.sum()))
"""


def test_of_two_processes_one_cuts_and_both_have_them(tokenizer, cache, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    order = [sys.executable, "-c", ONE, str(tmp_path / "tokenizer.json"), str(cache)]
    both = [subprocess.Popen(order, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=60)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(len(said) for said in told) == [1, 2]
    assert told[0][-1] == told[1][-1]


def test_the_tokenizer_forgets_and_cuts_again(tokenizer, monkeypatch):
    expected = tokenizer.encode(TEXTS[:50], 9)[0]
    monkeypatch.setattr("vlpbench.data.tokenizer._REMEMBERED", 20)
    for start in (0, 30, 0):
        assert np.array_equal(tokenizer.encode(TEXTS[start : start + 20], 9)[0], expected[start : start + 20])
    assert len(tokenizer._cut) <= 20
