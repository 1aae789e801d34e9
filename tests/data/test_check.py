"""The report on a set: counts, problems by kind, splits that are not apart, lengths."""

from __future__ import annotations

import pytest

from vlpbench.config.settings import TextSettings
from vlpbench.contract.dataset import BadSample
from vlpbench.data.check import check, kind_of
from vlpbench.data.errors import DataError
from vlpbench.data.sources.coco import Coco, CocoConfig


@pytest.fixture
def made(root, cache, put, picture):
    def build(**splits):
        for split, names in splits.items():
            images, annotations = [], []
            for number, (identity, name, colour) in enumerate(names):
                if colour:
                    picture(name, colour)
                images.append({"id": identity, "file_name": name})
                annotations.append({"id": number, "image_id": identity, "caption": f"{'very ' * number}{name}"})
            put(f"{split}.json", {"images": images, "annotations": annotations})
        return Coco(CocoConfig(folder="set", captions={split: f"{split}.json" for split in splits}), root, cache)

    return build


TEXT = TextSettings(length=6, vocabulary=300)


def test_a_good_set(made):
    report = check(made(train=[(1, "a.png", "red"), (2, "b.png", "blue")], val=[(3, "c.png", "green")]), TEXT)
    assert [(s.name, s.samples, s.captions, s.questions) for s in report.splits] == [
        ("train", 2, 2, 0), ("val", 1, 1, 0)]
    assert report.problems == 0
    assert report.shared == ()
    assert report.lines()[-1] == "nothing is wrong"


def test_lengths_are_those_of_the_tokenizer(made):
    report = check(made(train=[(n, f"{n}.png", (n, n, n)) for n in range(20)]), TEXT)
    found = report.splits[0].lengths["captions"]
    assert found.median <= found.most <= found.longest
    assert 0 < found.cut <= 20
    assert set(report.splits[0].lengths) == {"captions"}


def test_problems_are_grouped_and_named(made, put):
    dataset = made(train=[(1, "a.png", "red"), (2, "gone.png", None), (3, "lost.png", None), (4, "bad.png", "red")])
    (dataset.images / "bad.png").write_bytes(b"no picture")
    report = check(dataset, TEXT)
    (train,) = report.splits
    assert train.samples == 1
    assert report.problems == 3
    assert {kind: len(found) for kind, found in train.problems.items()} == {
        "image … does not exist": 2, "is not a picture in a known format": 1}
    told = "\n".join(report.lines())
    assert "2 x image … does not exist" in told
    assert "'gone.png'" in told
    assert "nothing is wrong" not in told
    assert check(dataset, TEXT, pictures=False).problems == 2


def test_splits_that_are_not_apart(made):
    dataset = made(train=[(1, "a.png", "red"), (2, "b.png", "blue")],
                   val=[(1, "a.png", "red"), (2, "c.png", "blue"), (5, "d.png", "green")])
    (pair,) = check(dataset, TEXT).shared
    assert pair.splits == ("train", "val")
    assert pair.names == ("a.png",)
    assert pair.contents == (("b.png", "c.png"),)
    assert pair.ids == (2,)
    told = "\n".join(check(dataset, TEXT).lines())
    assert "train and val share 1 images: a.png" in told
    assert "b.png = c.png" in told
    assert "use 1 ids for different images: 2" in told


def test_a_split_that_cannot_be_read_does_not_hide_the_others(made, put):
    dataset = made(train=[(1, "a.png", "red")], val=[(3, "c.png", "green")])
    put("val.json", "{")
    report = check(dataset, TEXT)
    assert [s.samples for s in report.splits] == [1, 0]
    assert "ends too early" in report.splits[1].error
    assert report.problems == 1
    assert "ends too early" in "\n".join(report.lines())


def test_without_a_training_split_there_are_no_lengths(made):
    report = check(made(val=[(1, "a.png", "red")]), TEXT)
    assert report.splits[0].lengths == {}


def test_what_concerns_no_split_is_raised(root, cache):
    with pytest.raises(DataError, match="no captions files"):
        check(Coco(CocoConfig(folder="set"), root, cache))


def test_progress_is_heard(made):
    heard = []
    check(made(train=[(1, "a.png", "red")]), TEXT, heard=lambda done, of: heard.append((done, of)))
    assert heard == [(1, 1)]


def test_kinds():
    assert kind_of(BadSample("x", "image 'a 1.jpg' does not exist (there is 'b')")) == "image … does not exist …"
    assert kind_of(BadSample("x", "claims 10 x 2,000 pixels")) == "claims … x … pixels"
