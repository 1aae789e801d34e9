"""Arrays of one sample as text."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.config.settings import TextSettings
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.runner.showing_text import piece, row_lines

TEXTS = ["a red three", "a blue one", "the red one is left of the blue three"]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS, TextSettings(vocabulary=340))


@pytest.fixture(scope="module")
def tokens(tokenizer):
    return tokenizer.encode(TEXTS, 12)[0]


def cells(lines, label):
    """The columns of the line with this label."""
    return next(line.split()[1:] for line in lines if line.startswith(f"{label} "))


def test_pieces_put_together_are_the_text(tokenizer, tokens):
    for text, row in zip(TEXTS, tokens, strict=True):
        written = " ".join(piece(int(number), tokenizer) for number in row)
        assert written.replace(" ~", "").split(" <eos>")[0] == text


def test_special_ids_are_named(tokenizer):
    v = tokenizer.vocabulary
    numbers = [v.pad, v.bos, v.eos, v.unk, v.mask, v.sentinels[0], v.sentinels[-1]]
    assert [piece(number, tokenizer) for number in numbers] == ["_", "<bos>", "<eos>", "<unk>", "<mask>", "<0>", "<31>"]


def test_a_piece_of_half_a_character_is_shown(tokenizer):
    written = [piece(int(number), tokenizer) for number in tokenizer.encode(["é"], 5)[0][0]]
    assert written == ["␣", "~\ufffd", "~\ufffd", "<eos>", "_"]


def test_marks_stand_under_the_words(tokenizer, tokens):
    words = [piece(int(number), tokenizer) for number in tokens[0]]
    hidden = np.zeros(tokens.shape, bool)
    hidden[0, 1] = True
    lines = row_lines({"tokens": tokens, "hidden": hidden}, 0, tokenizer)
    assert lines[0].index(words[1]) == lines[1].index("x")
    assert cells(lines, "hidden").count("x") == 1


def test_empty_ends_are_left_out(tokenizer, tokens):
    used = int((tokens[1] != tokenizer.vocabulary.pad).sum())
    assert len(cells(row_lines({"tokens": tokens}, 1, tokenizer), "tokens")) == used < tokens.shape[1]


def test_all_padding_is_one_column(tokenizer, tokens):
    assert row_lines({"tokens": np.zeros_like(tokens)}, 0, tokenizer) == ["tokens  _"]


@pytest.mark.parametrize("width", [24, 32, 40])
def test_long_rows_are_folded_and_nothing_is_lost(tokenizer, tokens, width):
    whole = row_lines({"tokens": tokens, "said": tokens > 0}, 2, tokenizer, width=1000)
    folded = row_lines({"tokens": tokens, "said": tokens > 0}, 2, tokenizer, width=width)
    assert all(len(line) <= width for line in folded)
    assert len(folded) > len(whole) == 2
    for label, line in zip(("tokens", "said"), whole, strict=True):
        parts = [part for one in folded if one.startswith(label) for part in one.split()[1:]]
        assert parts == line.split()[1:]


def test_ids_on_demand(tokenizer, tokens):
    plain, numbered = (row_lines({"tokens": tokens}, 0, tokenizer, ids=ids) for ids in (False, True))
    assert len(plain) == 1
    assert [int(one) for one in numbered[1].split()] == [int(one) for one in tokens[0] if one]


def test_ids_of_another_width_are_words_too(tokenizer, tokens):
    narrow = tokens[:, :3]
    lines = row_lines({"tokens": tokens, "targets": narrow}, 0, tokenizer, ids=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("targets"))
    assert lines[at].split()[1:] == [piece(int(one), tokenizer) for one in narrow[0]]
    assert [int(one) for one in lines[at + 1].split()] == narrow[0].tolist()


def test_whole_numbers_that_are_no_ids_stay_numbers(tokenizer, tokens):
    places = np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)
    outside = tokens + tokenizer.vocabulary.size
    lines = row_lines({"tokens": tokens, "places": places, "outside": outside}, 0, tokenizer)
    assert cells(lines, "places")[:3] == ["0", "1", "2"]
    assert cells(lines, "outside")[0] == str(outside[0, 0])


def test_a_number_a_sample_is_not_a_word(tokenizer, tokens):
    assert "count  300" in row_lines({"tokens": tokens, "count": np.array([300, 4, 5])}, 0, tokenizer)
    assert "weight  0.333" in row_lines({"tokens": tokens, "weight": np.full(3, 1 / 3)}, 0, tokenizer)


def test_answers_are_named(tokenizer, tokens):
    scores = np.array([[0, 0.3, 0, 1.0], [0] * 4, [0] * 4])
    names, arrays = ("no", "two", "red", "yes"), {"tokens": tokens, "targets": scores}
    assert "targets  two = 0.3, yes = 1  (of 4)" in row_lines(arrays, 0, tokenizer, names)
    assert "targets  nothing but zeros  (of 4)" in row_lines(arrays, 1, tokenizer, names)


def test_long_arrays_tell_what_is_not_zero(tokenizer, tokens):
    long = np.zeros((3, 40))
    long[0, 5:25] = 0.5
    line = row_lines({"tokens": tokens, "long": long}, 0, tokenizer)[-1]
    assert line.startswith("long  [5] = 0.5, [6] = 0.5") and "and 8 more" in line and line.endswith("(of 40)")


def test_candidates_have_a_line_each(tokenizer, tokens):
    candidates = np.stack([tokens, tokens[::-1]], axis=1)
    lines = row_lines({"tokens": tokens, "candidates": candidates}, 0, tokenizer)
    assert cells(lines, "candidates[0]") == cells(lines, "tokens")
    assert [line.split()[0] for line in lines] == ["tokens", "candidates[0]", "candidates[1]"]


def test_large_arrays_are_told_by_their_range(tokenizer, tokens):
    boxes = np.linspace(0, 1, 3 * 9 * 4).reshape(3, 9, 4)
    line = row_lines({"tokens": tokens, "boxes": boxes}, 0, tokenizer)[-1]
    assert line == "boxes  float64 9 x 4, from 0 to 0.327"


def test_places_are_numbers_though_a_few_of_them_could_be_ids(tokenizer, tokens):
    first = tokenizer.vocabulary.size - len(tokenizer.pieces)
    places = np.array([[1, 5, 9, first, 0], [2, 3, first + 1, 0, 0]])
    lines = row_lines({"tokens": tokens[:2], "places": places}, 0, tokenizer, (), 100)
    assert lines[-1].split() == ["places", "1", "5", "9", str(first), "0"]
