"""Real photographs with human captions and questions: everything is read, and two forms of one set agree."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.config.settings import TextSettings
from vlpbench.contract.dataset import BadSample
from vlpbench.data.check import check
from vlpbench.data.sources.coco import Coco, CocoConfig
from vlpbench.data.sources.karpathy import Karpathy, KarpathyConfig
from vlpbench.data.sources.vqa import Vqa, VqaConfig
from vlpbench.data.splits import open_split
from vlpbench.data.tokenizer import Tokenizer, normal

SPLITS = ("train", "val", "test")


@pytest.fixture
def flickr(data_root, cache):
    if not (data_root / "flickr8k-1k").is_dir():
        pytest.skip("VLPBENCH_DATA has no flickr8k-1k")
    files = {split: f"captions_{split}.json" for split in SPLITS}
    return Coco(CocoConfig("flickr8k-1k", captions=files), data_root, cache)


@pytest.fixture
def visual7w(data_root, cache):
    if not (data_root / "visual7w-mini").is_dir():
        pytest.skip("VLPBENCH_DATA has no visual7w-mini")
    named = {key: {split: f"{key}_{split}.json" for split in SPLITS} for key in ("questions", "annotations")}
    return Vqa(VqaConfig("visual7w-mini", **named), data_root, cache)


def test_captions_are_all_read(flickr):
    read = {split: list(flickr.read(split)) for split in SPLITS}
    assert {split: len(found) for split, found in read.items()} == {"train": 753, "val": 113, "test": 125}
    assert all(not isinstance(sample, BadSample) and len(sample.captions) == 5 for s in read.values() for sample in s)


def test_two_forms_of_one_set_agree(flickr):
    other = Karpathy(KarpathyConfig("flickr8k-1k", file="dataset_flickr8k.json"), flickr.root, flickr.cache)
    assert other.splits() == SPLITS
    for split in SPLITS:
        assert list(other.read(split)) == list(flickr.read(split))


def test_questions_are_all_read(visual7w):
    read = {split: list(visual7w.read(split)) for split in SPLITS}
    counts = {split: sum(len(sample.questions) for sample in found) for split, found in read.items()}
    assert counts == {"train": 2845, "val": 493, "test": 503}
    for sample in (sample for found in read.values() for sample in found):
        assert all(len(q.answers) == 1 and len(q.choices) == 4 for q in sample.questions)
        assert all(sample.fields["right_choice"][q.id] in q.choices for q in sample.questions)


def test_splits_are_apart_and_nothing_is_broken(flickr, visual7w):
    for made in (flickr, visual7w):
        report = check(made)
        assert report.problems == 0
        assert report.shared == ()


def test_pictures_and_words(flickr):
    split = open_split(flickr, "val", purpose="select", size=32, on_bad="error")
    assert split.pixels.shape == (113, 32, 32, 3)
    assert 60 < np.mean(split.pixels) < 180
    texts = [caption for sample in split.samples for caption in sample.captions]
    tokenizer = Tokenizer.train(texts, TextSettings())
    tokens, _ = tokenizer.encode(texts, 100)
    assert [tokenizer.decode(row) for row in tokens] == [normal(text, True) for text in texts]


def test_fingerprint_is_stable(flickr):
    assert flickr.fingerprint() == flickr.fingerprint()
