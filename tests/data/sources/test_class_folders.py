"""Folders of classes: labels are folder names, odd entries are named or left alone, and the set works without texts."""

from __future__ import annotations

import pytest

from vlpbench.contract.dataset import BadSample
from vlpbench.data.check import check
from vlpbench.data.errors import DataError, TestSplitRefused
from vlpbench.data.shared_files import refuse_shared_files
from vlpbench.data.sources.class_folders import ClassFolders, ClassFoldersConfig
from vlpbench.data.splits import open_split
from vlpbench.types import Sample

PICTURES = ("train/cat/2.png", "train/cat/1.PNG", "train/cat/3.png", "train/dog/1.png", "test/dog/8.png",
            "test/cat/9.png")


@pytest.fixture
def folders(root, cache, picture):
    for number, name in enumerate(PICTURES):
        picture(f"../{name}", (40 * number, 0, 0))

    def build(**settings):
        return ClassFolders(ClassFoldersConfig("set", **settings), root, cache)

    return build


def names(dataset, split="train"):
    return [sample.image for sample in dataset.read(split)]


def test_classes_take_turns_and_carry_the_label(folders):
    found = list(folders().read("train"))
    assert [(sample.image, sample.fields) for sample in found] == [
        ("train/cat/1.PNG", {"label": "cat"}), ("train/dog/1.png", {"label": "dog"}),
        ("train/cat/2.png", {"label": "cat"}), ("train/cat/3.png", {"label": "cat"}),
    ]
    assert len({sample.id for sample in found}) == 4
    assert not any(sample.captions or sample.questions for sample in found)


def test_splits_are_those_that_are_there_or_are_named(folders):
    assert folders().splits() == ("train", "test")
    other = folders(splits={"val": "test", "train": "train/"})
    assert other.splits() == ("train", "val")
    assert names(other, "val") == names(folders(), "test") == ["test/cat/9.png", "test/dog/8.png"]
    assert names(other) == names(folders())


def test_classes_can_be_given_names_and_a_limit_keeps_them_even(folders):
    made = folders(classes={"cat": "tabby cat"}, limit=2)
    assert [sample.fields["label"] for sample in made.read("train")] == ["tabby cat", "dog"]


def test_other_entries_are_left_alone_and_odd_ones_named(folders, root, tmp_path):
    cat = root / "set" / "train" / "cat"
    (cat / ".hidden.png").touch()
    (cat / "notes.txt").touch()
    (root / "set" / "train" / "list.csv").touch()
    (cat / "folder.png").mkdir()
    (tmp_path / "outside.png").touch()
    (cat / "link.png").symlink_to(tmp_path / "outside.png")
    bad = {one.where: one.what for one in folders().read("train") if isinstance(one, BadSample)}
    assert set(bad) == {"train/cat/folder.png", "train/cat/link.png"}
    assert "is not a file" in bad["train/cat/folder.png"]
    assert len([one for one in folders().read("train") if isinstance(one, Sample)]) == 4


def test_what_is_not_there(folders, root, cache):
    (root / "empty").mkdir()
    with pytest.raises(DataError, match="does not exist"):
        ClassFolders(ClassFoldersConfig("empty"), root, cache).splits()
    with pytest.raises(DataError, match="'trian' does not exist") as caught:
        names(folders(splits={"train": "trian"}))
    assert "did you mean 'train'?" in caught.value.remedy
    with pytest.raises(DataError, match="no folders of classes"):
        names(folders(splits={"train": "train/cat"}))
    with pytest.raises(DataError, match="there is no split 'val'"):
        folders().read("val")
    with pytest.raises(DataError, match="not the name of a split"):
        folders(splits={"training": "train"}).splits()


def test_fingerprint_knows_splits_names_and_contents(folders, root, picture):
    seen = {folders().fingerprint(), folders(classes={"cat": "tabby"}).fingerprint(), folders(limit=1).fingerprint(),
            folders(splits={"train": "test", "test": "train"}).fingerprint()}
    assert len(seen) == 4
    assert folders().fingerprint() in seen
    picture("../train/dog/1.png", "white")
    assert folders().fingerprint() not in seen


def test_one_folder_for_two_splits_is_refused(folders):
    apart = folders()
    assert refuse_shared_files({"a": apart}, {"a": apart}) is None  # type: ignore[func-returns-value]
    both = folders(splits={"train": "test", "test": "test/"})
    with pytest.raises(TestSplitRefused, match="the test file of 'a'"):
        refuse_shared_files({"a": both}, {"a": both})


def test_opens_and_is_checked_without_any_text(folders):
    split = open_split(folders(), "train", purpose="train", size=8, on_bad="error")
    assert split.pixels.shape == (4, 8, 8, 3)
    report = check(folders())
    assert report.problems == 0
    assert [one.samples for one in report.splits] == [4, 2]
    assert "nothing is wrong" in report.lines()
