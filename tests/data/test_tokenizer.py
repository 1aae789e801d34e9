"""Byte pairs: any text comes back, no text spells a special token, equal texts give equal pieces."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from vlpbench.config.settings import TextSettings
from vlpbench.data.errors import DataError
from vlpbench.data.tokenizer import Tokenizer, normal

TEXTS = [f"a {size} {colour} {thing} beside the {other}" for size in ("big", "small") for colour in ("red", "blue")
         for thing in ("cat", "dog") for other in ("house", "tree")]
SETTINGS = TextSettings(length=16, vocabulary=340)

ODD = [
    "", " ", "a", "A  b\n\tc", "naïve café", "日本語の文", "👩‍👩‍👧‍👦 ok", "\x00\x01\x7f", "e\u0301 é",
    "\u202eright\u202c",
    "ﬁ ǅ ß İ",
    "<mask> <pad> </s> [MASK] <s> <extra_id_0> <unk>", "''\"don't won't it's", "12345 6,7.8", "Ġ Ċ â ģ",
]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS, SETTINGS)


def test_vocabulary(tokenizer):
    v = tokenizer.vocabulary
    special = [v.pad, v.bos, v.eos, v.unk, v.mask, *v.sentinels]
    assert len(v.sentinels) == 32
    assert sorted(special) == list(range(37))
    assert v.size <= 340
    assert v.size == 37 + len(tokenizer.pieces)


def test_rows_are_words_then_eos_then_padding(tokenizer):
    tokens, mask = tokenizer.encode(["a big red cat", "cat"], 16)
    v = tokenizer.vocabulary
    assert (tokens.dtype, mask.dtype, tokens.shape) == (np.int64, np.bool_, (2, 16))
    for row, real in zip(tokens, mask, strict=True):
        n = real.sum()
        assert real[:n].all()
        assert row[n - 1] == v.eos
        assert (row[: n - 1] >= 37).all()
        assert (row[n:] == v.pad).all()
    assert mask.sum(1).tolist() == tokenizer.lengths(["a big red cat", "cat"]).tolist()


def test_a_word_is_one_token_at_the_start_and_inside(tokenizer):
    tokens, mask = tokenizer.encode(["cat", "  cat", "red cat"], 8)
    assert tokens[0, 0] == tokens[1, 0] == tokens[2, 1]
    assert mask.sum(1).tolist() == [2, 2, 3]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("text", ODD)
def test_any_text_comes_back(text, lowercase):
    made = Tokenizer.train(TEXTS, TextSettings(vocabulary=320, lowercase=lowercase))
    tokens, mask = made.encode([text], 200)
    assert made.decode(tokens[0]) == normal(text, lowercase)
    said = tokens[0][mask[0]][:-1]
    assert (said >= 37).all()  # nothing typed becomes a special id


def test_random_texts_come_back(tokenizer):
    rng = np.random.default_rng(7)
    for _ in range(200):
        points = rng.integers(0, 0x2FFF, rng.integers(1, 20))
        text = normal("".join(map(chr, points)), True)
        tokens, _ = tokenizer.encode([text], 100)
        assert tokenizer.decode(tokens[0]) == normal(text, True)


def test_lone_surrogates_are_replaced_not_fatal(tokenizer):
    tokens, _ = tokenizer.encode(["a\ud800b"], 8)
    assert tokenizer.decode(tokens[0]) == "a?b"


def test_lower_casing_is_a_setting(tokenizer):
    upper, lower = tokenizer.encode(["A RED CAT", "a red cat"], 8)[0]
    assert np.array_equal(upper, lower)
    cased = Tokenizer.train(TEXTS, TextSettings(vocabulary=340, lowercase=False))
    assert not np.array_equal(*cased.encode(["A RED CAT", "a red cat"], 16)[0])


def test_long_texts_are_cut_keep_eos_and_are_counted(tokenizer):
    texts = ["cat", "a big red cat beside the house"]
    tokens, mask = tokenizer.encode(texts, 4)
    assert mask[1].all()
    assert tokens[1, -1] == tokenizer.vocabulary.eos
    assert tokenizer.decode(tokens[1]) == "a big red"
    assert tokenizer.cut(texts, 4) == 1
    assert tokenizer.cut(texts, 16) == 0
    assert tokenizer.cut(["a big red"], 4) == 0
    assert tokenizer.encode(["cat"], 1)[0].tolist() == [[tokenizer.vocabulary.eos]]
    with pytest.raises(ValueError, match="end of sentence"):
        tokenizer.encode(["cat"], 0)


def test_no_texts(tokenizer):
    tokens, mask = tokenizer.encode([], 5)
    assert tokens.shape == mask.shape == (0, 5)


def test_decoding_stops_at_eos_and_skips_special(tokenizer):
    v = tokenizer.vocabulary
    (row,), _ = tokenizer.encode(["red cat"], 3)
    ids = [v.bos, row[0], v.mask, v.sentinels[3], row[1], v.eos, row[0]]
    assert tokenizer.decode(ids) == "red cat"
    assert tokenizer.decode([]) == ""
    for wrong in (v.size, -1):
        with pytest.raises(ValueError, match="outside the vocabulary"):
            tokenizer.decode([wrong])


def test_order_of_texts_does_not_matter(tokenizer):
    shuffled = [TEXTS[i] for i in np.random.default_rng(8).permutation(len(TEXTS))]
    assert Tokenizer.train(iter(shuffled), SETTINGS).digest == tokenizer.digest


def test_another_process_learns_the_same(tokenizer):
    program = (
        "import json, sys\nfrom vlpbench.data.tokenizer import Tokenizer\n"
        "from vlpbench.config.settings import TextSettings\n"
        "print(Tokenizer.train(json.load(sys.stdin), TextSettings(length=16, vocabulary=340)).digest)"
    )
    done = subprocess.run([sys.executable, "-c", program], input=json.dumps(TEXTS), capture_output=True, text=True,
                          check=True, env={"TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": ":".join(sys.path)})
    assert done.stdout.strip() == tokenizer.digest


def test_digest_tells_tokenizers_apart(tokenizer):
    others = [Tokenizer.train(TEXTS, TextSettings(vocabulary=310)), Tokenizer.train(TEXTS[:4], SETTINGS),
              Tokenizer(tokenizer.pieces, tokenizer.merges, lowercase=False)]
    assert len({tokenizer.digest, *(other.digest for other in others)}) == 4


def test_saved_and_loaded(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "t.json")
    again = Tokenizer.load(tmp_path / "t.json")
    assert again.digest == tokenizer.digest
    assert again.vocabulary == tokenizer.vocabulary
    assert np.array_equal(again.encode(TEXTS, 16)[0], tokenizer.encode(TEXTS, 16)[0])


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"format": "x"}', "pieces", "merges"])
def test_damaged_files(tokenizer, tmp_path, text):
    path = tmp_path / "t.json"
    if text in ("pieces", "merges"):
        tokenizer.save(path)
        held = json.loads(path.read_text())
        path.write_text(json.dumps({**held, text: held[text][::2]}))
    elif text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match="is not a tokenizer"):
        Tokenizer.load(path)


def test_too_small_a_vocabulary_and_no_text():
    with pytest.raises(DataError, match="too small") as caught:
        Tokenizer.train(TEXTS, TextSettings(vocabulary=292))
    assert "293" in caught.value.remedy
    assert Tokenizer.train(TEXTS, TextSettings(vocabulary=293)).vocabulary.size == 293
    with pytest.raises(DataError, match="no text"):
        Tokenizer.train(["", "  "], SETTINGS)


def test_agrees_with_merges_applied_by_hand(tokenizer):
    rank = {pair: number for number, pair in enumerate(tokenizer.merges)}
    for word in ("house", "beside", "cathouse", "dogs"):
        parts = ["Ġ", *word]
        while True:
            found = [(rank[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in rank]
            if not found:
                break
            _, at = min(found)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        tokens, mask = tokenizer.encode([word], 16)
        assert [tokenizer.pieces[number - 37] for number in tokens[0][mask[0]][:-1]] == parts
