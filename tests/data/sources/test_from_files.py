"""What readers have in common: settings that lead nowhere, and a fingerprint of files and pictures."""

from __future__ import annotations

import shutil

import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.sources.coco import Coco, CocoConfig


@pytest.fixture
def made(root, cache, put, captions):
    put("train.json", captions)

    def build(**settings):
        return Coco(CocoConfig(**{"folder": "set", "captions": {"train": "train.json"}} | settings), root, cache)

    return build


def test_no_file_is_opened_before_reading(tmp_path):
    made = Coco(CocoConfig(folder="nowhere", captions={"train": "x.json"}), tmp_path, tmp_path)
    assert made.splits() == ("train",)
    assert made.images == tmp_path / "nowhere" / "images"
    assert made.describe()["kind"] == "coco"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", [{"folder": "../set"}, {"folder": "/set"}, {"images": "../images"}])
def test_settings_that_climb_are_refused(made, settings):
    with pytest.raises(DataError) as caught:
        made(**settings)
    assert "VLPBENCH_DATA" in caught.value.remedy


@pytest.mark.parametrize(
    ("files", "cause"),
    [({}, "no captions files are named"), ({"train": "../train.json"}, "is not a name below"),
     ({"train": ""}, "is not a name below"), ({"trian": "train.json"}, "is not the name of a split")],
)
def test_files_that_are_not_named_rightly(made, files, cause):
    with pytest.raises(DataError) as caught:
        made(captions=files).splits()
    assert cause in caught.value.cause
    assert caught.value.remedy


def test_a_folder_may_be_a_link_of_the_user(made, root):
    (root / "link").symlink_to(root / "set")
    assert len(list(made(folder="link").read("train"))) == 2


def test_set_may_lie_in_the_root_itself(root, cache, made):
    here = Coco(CocoConfig(captions={"train": "train.json"}), root / "set", cache)
    assert len(list(here.read("train"))) == 2


def test_fingerprint_is_that_of_the_contents(made, root, put, captions, picture):
    first = made().fingerprint()
    assert made().fingerprint() == first
    shutil.copytree(root / "set", root / "copy")
    assert made(folder="copy").fingerprint() == first
    picture("unnamed.png")
    assert made().fingerprint() == first
    picture("a.png", "green", size=(9, 9))
    second = made().fingerprint()
    assert second != first
    captions["annotations"][0]["caption"] = "Other."
    put("train.json", captions)
    assert made().fingerprint() not in (first, second)


def test_fingerprint_sees_a_lost_picture(made, root):
    first = made().fingerprint()
    (root / "set" / "images" / "a.png").unlink()
    assert made().fingerprint() != first
