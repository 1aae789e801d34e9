"""The tokenizer.json of a BERT-like encoder: its ids, our rows; no text spells a special token."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from vlpbench.data.errors import DataError
from vlpbench.data.tokenizer import Tokenizer

SPECIAL = ["[PAD]", "[unused0]", "[unused1]", "[unused2]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused10]"]
WORDS = ["a", "red", "cat", "##s", "##ed", "play", "dog", ".", "[", "]", "mask", "sep", ",", "'", "un", "##used", "##0"]


def written(path, special=SPECIAL, words=WORDS, truncated=False, **changes):
    """A tokenizer.json as the library writes it for BERT: template, truncation, padding and added tokens included."""
    pieces = {piece: number for number, piece in enumerate([*special, *words])}
    made = tokenizers.Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    if {"[CLS]", "[SEP]"} <= pieces.keys():
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[(name, pieces[name]) for name in ("[CLS]", "[SEP]")])
    made.add_special_tokens([name for name in special if not name.startswith("[unused")])
    if truncated:
        made.enable_truncation(4)
        made.enable_padding(length=9)
    held = json.loads(made.to_str()) | changes
    path.write_text(json.dumps(held))
    return made


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tokenizer.json"


@pytest.fixture
def tokenizer(file):
    written(file)
    return Tokenizer.load(file)


def said(tokenizer, text, length=16):
    tokens, mask = tokenizer.encode([text], length)
    return [tokenizer.pieces[number] for number in tokens[0][mask[0]]]


def test_special_ids_are_its_own(tokenizer):
    v = tokenizer.vocabulary
    assert v.size == len(SPECIAL) + len(WORDS) == len(tokenizer.pieces)
    found = [tokenizer.pieces[number] for number in (v.pad, v.bos, v.eos, v.unk, v.mask, *v.sentinels)]
    assert found == ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "[unused0]", "[unused1]", "[unused2]", "[unused10]"]


def test_as_many_sentinels_as_there_are_up_to_32(file):
    names = [f"[unused{number}]" for number in reversed(range(40))]
    written(file, special=[*names, "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    loaded = Tokenizer.load(file)
    assert [loaded.pieces[number] for number in loaded.vocabulary.sentinels] == [f"[unused{n}]" for n in range(32)]
    written(file, special=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    assert Tokenizer.load(file).vocabulary.sentinels == ()


@pytest.mark.parametrize("truncated", [False, True])
def test_rows_are_words_then_eos_then_padding(file, truncated):
    its_own = written(file, truncated=truncated)
    its_own.no_truncation()
    its_own.no_padding()
    tokenizer = Tokenizer.load(file)
    text = "A red cat played, cats."
    assert said(tokenizer, text) == ["a", "red", "cat", "play", "##ed", ",", "cat", "##s", ".", "[SEP]"]
    tokens, mask = tokenizer.encode([text], 16)
    inside = its_own.encode(text).ids  # [CLS] ... [SEP]
    assert tokens[0][mask[0]].tolist() == inside[1:]
    assert (tokens[0][~mask[0]] == tokenizer.vocabulary.pad).all()
    assert tokenizer.lengths([text]).tolist() == [10]
    tokens, mask = tokenizer.encode([text, ""], 4)
    assert [tokenizer.pieces[number] for number in tokens[0]] == ["a", "red", "cat", "[SEP]"]
    assert tokens[1].tolist() == [tokenizer.vocabulary.eos] + [tokenizer.vocabulary.pad] * 3
    assert tokenizer.cut([text, ""], 4) == 1


def test_no_text_spells_a_special_token(file):
    written(file)
    text = "[MASK] [SEP] [CLS] [PAD] [unused0] a"
    numbers = {SPECIAL.index(name) for name in SPECIAL if name != "[UNK]"}
    for changes in ({}, {"pre_tokenizer": {"type": "WhitespaceSplit"}, "normalizer": None}):
        written(file, **changes)
        tokenizer = Tokenizer.load(file)
        tokens, mask = tokenizer.encode([text], 32)
        assert numbers.isdisjoint(tokens[0][mask[0]][:-1].tolist())
    assert said(tokenizer, "[MASK] a") == ["[UNK]", "a", "[SEP]"]  # where words are cut at spaces alone


def test_decoding(tokenizer):
    v = tokenizer.vocabulary
    tokens, _ = tokenizer.encode(["a red cat played"], 16)
    assert tokenizer.decode(tokens[0]) == "a red cat played"
    ids = [v.bos, *tokens[0][:2], v.mask, v.sentinels[1], tokens[0][2], v.eos, tokens[0][0]]
    assert tokenizer.decode(ids) == "a red cat"
    assert tokenizer.decode([]) == ""
    with pytest.raises(ValueError, match="outside the vocabulary"):
        tokenizer.decode([v.size])


def test_a_file_without_a_decoder_still_joins_words(file):
    written(file, decoder=None)
    tokenizer = Tokenizer.load(file)
    assert tokenizer.decode(tokenizer.encode(["cats played"], 8)[0][0]) == "cats played"


def test_saved_and_loaded(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "ours.json")
    again = Tokenizer.load(tmp_path / "ours.json")
    assert (again.digest, again.vocabulary, again.pieces) == (
        tokenizer.digest, tokenizer.vocabulary, tokenizer.pieces)
    assert np.array_equal(again.encode(["a red cat"], 8)[0], tokenizer.encode(["a red cat"], 8)[0])
    held = json.loads((tmp_path / "ours.json").read_text())
    held["library"]["normalizer"] = None
    (tmp_path / "ours.json").write_text(json.dumps(held))
    with pytest.raises(DataError, match="not what was written"):
        Tokenizer.load(tmp_path / "ours.json")


def test_digest_tells_them_apart(tokenizer, tmp_path):
    written(tmp_path / "other.json", normalizer=None)
    assert Tokenizer.load(tmp_path / "other.json").digest != tokenizer.digest


def test_an_id_that_no_piece_has_is_a_hole(file):
    written(file)
    held = json.loads(file.read_text())
    number = held["model"]["vocab"].pop("dog")
    file.write_text(json.dumps(held))
    tokenizer = Tokenizer.load(file)
    assert tokenizer.vocabulary.size == len(SPECIAL) + len(WORDS)
    assert tokenizer.pieces[number] == f"[no piece {number}]"
    assert said(tokenizer, "dog") == ["[UNK]", "[SEP]"]


@pytest.mark.parametrize(("spoil", "what"), [
    (lambda held: held["model"].update(type="Nonsense"), "the library cannot read it"),
    (lambda held: held.update(pre_tokenizer={"type": "X"}), "the library cannot read it"),
    (lambda held: held["model"]["vocab"].update(cat=10**9), "ids do not number"),
    (lambda held: held["model"]["vocab"].update(cat=held["model"]["vocab"]["a"]), "ids do not number"),
    (lambda held: held.update(model=3), "is not a tokenizer"),
    (lambda held: held.update(added_tokens=[{"id": "x"}]), "is not a tokenizer"),
])
def test_damaged_files(file, spoil, what):
    written(file)
    held = json.loads(file.read_text())
    spoil(held)
    file.write_text(json.dumps(held))
    with pytest.raises(DataError, match=what) as caught:
        Tokenizer.load(file)
    assert "BERT" in caught.value.remedy


def test_without_berts_special_tokens_it_is_refused(file):
    special = [name for name in SPECIAL if name not in ("[MASK]", "[CLS]")]
    written(file, special=special)
    with pytest.raises(DataError, match=r"has no \[CLS\], \[MASK\]; only tokenizers with BERT's"):
        Tokenizer.load(file)
