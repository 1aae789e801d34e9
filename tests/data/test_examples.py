"""What a stage draws from: every caption of every sample once, numbered by its string."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.config.settings import TextSettings
from vlpbench.data.errors import DataError
from vlpbench.data.examples import caption_examples, fitting, text_ids
from vlpbench.data.splits import Split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.types import Sample

TEXTS = ("a dog", "a cat", "a dog on the mat with a cat on a mat", "two dogs")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS, TextSettings(vocabulary=320))


def split(*samples: Sample) -> Split:
    pixels = np.arange(len(samples), dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    return Split("coco", "train", samples, pixels, ())


THREE = split(
    Sample(70, "a.png", (TEXTS[0], TEXTS[2]), fields={"box": [1, 2]}),
    Sample(30, "b.png", fields={"box": [3, 4]}),
    Sample(50, "c.png", (TEXTS[3], TEXTS[0], TEXTS[1]), fields={"box": [5, 6]}),
)


def test_equal_strings_share_a_number_and_no_others_do() -> None:
    texts = ["b", "a", "b", "", "B", "a"]
    ids = text_ids(texts)
    assert ids.tolist() == [0, 1, 0, 2, 3, 1]
    assert all((ids[i] == ids[j]) == (texts[i] == texts[j]) for i in range(6) for j in range(6))
    assert text_ids([]).shape == (0,)


def test_samples_without_captions_are_left_out(tokenizer: Tokenizer) -> None:
    made = caption_examples(THREE, tokenizer, 24)
    assert len(made) == 2
    assert made.image_rows.tolist() == [0, 2]
    assert made.image_ids.tolist() == [70, 50]
    assert made.many.tolist() == [2, 3]
    assert made.first.tolist() == [0, 2]
    assert made.caption_ids.tolist() == [0, 1, 2, 0, 3]
    said = [tokenizer.decode(row) for row in made.tokens]
    assert said == [TEXTS[0], TEXTS[2], TEXTS[3], TEXTS[0], TEXTS[1]]
    assert list(made.texts) == said
    assert np.array_equal(made.mask, made.tokens != tokenizer.vocabulary.pad)
    assert made.has_image and np.array_equal(made.pictures(np.array([1, 0]))[:, 0, 0, 0], [2, 0])


def test_rows_are_as_long_as_the_longest_text_and_never_longer_than_asked(tokenizer: Tokenizer) -> None:
    longest = int(tokenizer.lengths(TEXTS).max())
    assert caption_examples(THREE, tokenizer, 100).tokens.shape == (5, longest)
    assert caption_examples(THREE, tokenizer, 4).tokens.shape == (5, 4)
    assert (caption_examples(THREE, tokenizer, 4).tokens[:, -1] == tokenizer.vocabulary.eos).sum() >= 1
    assert fitting([""], tokenizer, 24) == 2
    assert fitting(TEXTS, tokenizer, 3) == 3


def test_fields_that_are_wanted_become_arrays(tokenizer: Tokenizer) -> None:
    made = caption_examples(THREE, tokenizer, 24, ("box",))
    assert made.fields["box"].tolist() == [[1, 2], [5, 6]]
    assert caption_examples(THREE, tokenizer, 24).fields == {}


@pytest.mark.parametrize("second", [{}, {"box": [1, 2, 3]}, {"box": "a text"}, {"box": [{"x": 1}, None]}])
def test_a_field_that_is_missing_or_no_array_is_told(tokenizer: Tokenizer, second: dict[str, object]) -> None:
    given = split(Sample(1, "a.png", ("a dog",), fields={"box": [1, 2]}), Sample(2, "b.png", ("a cat",), fields=second))
    with pytest.raises(DataError, match="'box'") as caught:
        caption_examples(given, tokenizer, 8, ("box",))
    assert "train" in str(caught.value) and "coco" in str(caught.value)
    assert caught.value.remedy


def test_texts_that_are_wanted_come_as_ids_with_their_mask(tokenizer: Tokenizer) -> None:
    fields = [{"oracle": TEXTS[0], "rewrites": (TEXTS[1], TEXTS[2])}, {"oracle": "a", "rewrites": (TEXTS[3], "a b")}]
    given = split(*(Sample(number, "a.png", ("a dog",), fields=one) for number, one in enumerate(fields)))
    made = caption_examples(given, tokenizer, 12, ("oracle", "rewrites")).fields
    assert made["oracle"].shape == made["oracle_mask"].shape == (2, 12)
    assert made["rewrites"].shape == made["rewrites_mask"].shape == (2, 2, 12)
    for at, one in enumerate(fields):
        assert tokenizer.decode(made["oracle"][at][made["oracle_mask"][at]]) == one["oracle"]
        for which, text in enumerate(one["rewrites"]):
            there = made["rewrites_mask"][at, which]
            assert tokenizer.decode(made["rewrites"][at, which][there]) == text


def test_a_split_without_captions_is_told(tokenizer: Tokenizer) -> None:
    with pytest.raises(DataError, match="split of 'coco' has no captions"):
        caption_examples(split(Sample(1, "a.png")), tokenizer, 8)
