"""Plain text: lines or paragraphs, every odd one named with its line, and no file held whole."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from vlpbench.config.settings import Portion, TextSettings
from vlpbench.config.typed import WrongValue, fields_of, make
from vlpbench.contract.dataset import BadSample
from vlpbench.data.check import check
from vlpbench.data.errors import DataError
from vlpbench.data.examples import caption_examples
from vlpbench.data.sources.text import Text, TextConfig
from vlpbench.data.splits import open_split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.data.weakened import weakened
from vlpbench.types import Sample


@pytest.fixture
def made(root, cache, put):
    def build(content=None, **settings):
        if content is not None:
            put("t.txt", content)
        return Text(TextConfig(**{"folder": "set", "files": {"train": "t.txt"}} | settings), root, cache)

    return build


def read(dataset, split="train"):
    found = list(dataset.read(split))
    good = {sample.id: sample.captions for sample in found if isinstance(sample, Sample)}
    return good, [f"{bad.where}: {bad.what}" for bad in found if isinstance(bad, BadSample)]


def test_lines_are_texts_by_number(made):
    good, bad = read(made("One.\n  Zwei größer \r\nthree\tthree"))
    assert good == {1: ("One.",), 2: ("Zwei größer",), 3: ("three\tthree",)}
    assert bad == []
    assert {sample.image for sample in made().read("train")} == {""}


def test_lines_that_are_no_texts_are_named(made):
    good, bad = read(made(b"\xef\xbb\xbfone\n\n \t \nca\xffe\nfive\n"))
    assert good == {1: ("one",), 5: ("five",)}
    assert bad == ["t.txt: line 4: is not UTF-8 (0xff)"]


def test_paragraphs_stand_between_blank_lines(made):
    good, bad = read(made("\n\none\n two \n\n \t\r\n\nthree\r\nfour\n\n\nfive", unit="paragraph"))
    assert good == {3: ("one two",), 8: ("three four",), 12: ("five",)}
    assert bad == []


def test_a_paragraph_with_a_bad_line_is_named_by_that_line(made):
    good, bad = read(made(b"one\n\ntwo\nthr\xe9e\nfour\n\nfive\n", unit="paragraph"))
    assert good == {1: ("one",), 7: ("five",)}
    assert bad == ["t.txt: line 4: is not UTF-8 (0xe9)"]


def test_blank_lines_are_no_texts_and_no_fault(made):
    assert read(made("\u00a0\u2003\n")) == ({}, [])
    assert read(made("one\n\n\u00a0\n\ntwo", unit="paragraph")) == ({1: ("one",), 5: ("two",)}, [])


def test_a_limit_counts_texts_that_can_be_used(made):
    assert read(made("one\n\nthree\nfour\n", limit=2)) == ({1: ("one",), 3: ("three",)}, [])


def test_a_file_is_never_held_whole(made):
    text = made(b"a line of words that goes on and on, and on, and on, and on, and on\n" * 30_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in text.read("train")) == 30_000
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_settings_are_those_of_a_text(made, root, cache):
    assert set(fields_of(TextConfig)) == {"folder", "files", "unit", "limit"}
    with pytest.raises(WrongValue, match="'line', 'paragraph'"):
        make(TextConfig, {"unit": "word"})
    with pytest.raises(DataError, match="no files"):
        Text(TextConfig(folder="set"), root, cache).splits()
    assert made().splits() == ("train",)
    assert made().describe()["kind"] == "text"


def test_a_missing_file_is_told_with_the_nearest_name(made, put):
    put("texts.txt", "one")
    with pytest.raises(DataError, match=r"'text\.txt' does not exist") as caught:
        list(made(files={"train": "text.txt"}).read("train"))
    assert "'texts.txt'" in caught.value.remedy
    with pytest.raises(DataError, match="no split 'val'"):
        made().read("val")


def test_a_folder_is_no_text_file(made, root):
    (root / "set" / "t.txt").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        list(made().read("train"))


def test_fingerprints_follow_the_bytes_and_what_a_text_is(made):
    first = made("one\ntwo\n").fingerprint()
    others = {made(limit=1).fingerprint(), made(unit="paragraph").fingerprint(), made("one\ntwo").fingerprint()}
    assert len({first, *others}) == 4
    assert made("one\ntwo\n").fingerprint() == first


def test_from_the_file_to_examples_without_pictures(made):
    split = open_split(made("a cat\na dog\na cat\n"), "train", purpose="train", size=8, on_bad="error")
    assert split.pixels.shape == (0, 8, 8, 3)
    examples = caption_examples(split, Tokenizer.train(["a cat"], TextSettings(vocabulary=300)), 12)
    assert len(examples) == 3 and not examples.has_image
    assert examples.caption_ids.tolist() == [0, 1, 0]
    assert np.array_equal(examples.many, [1, 1, 1])


def test_broken_lines_stop_a_run_or_are_left_out(made):
    text = made(b"one\n\xff\nthree\n")
    with pytest.raises(DataError, match=r"t\.txt: line 2: is not UTF-8"):
        open_split(text, "train", purpose="train", size=8, on_bad="error")
    left = open_split(text, "train", purpose="train", size=8, on_bad="skip")
    assert len(left.samples) == 2 and len(left.problems) == 1


def test_a_share_of_a_corpus_is_a_cut_of_its_lines(made):
    text = made("".join(f"line {number}\n" for number in range(1, 101)))
    kept, _ = read(weakened(text, Portion(share=0.1)))
    assert len(kept) == 10 and all(captions == (f"line {number}",) for number, captions in kept.items())


def test_the_check_of_data_copes_with_texts(made, put):
    put("v.txt", b"one line\n\xff\n")
    text = made("one\ntwo words\n", files={"train": "t.txt", "val": "v.txt"})
    report = check(text, TextSettings(length=6, vocabulary=300))
    assert [(found.samples, found.captions) for found in report.splits] == [(2, 2), (1, 1)]
    assert report.problems == 1 and report.shared == ()
    assert any("v.txt: line 2" in line for line in report.lines())
