"""COCO captions: order, joins, and every fault named once."""

from __future__ import annotations

import pytest

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.sources.coco import Coco, CocoConfig
from vlpbench.types import Sample


@pytest.fixture
def read(root, cache, put):
    def go(document, **settings):
        put("train.json", document)
        config = CocoConfig(folder="set", captions={"train": "train.json"}, **settings)
        return list(Coco(config, root, cache).read("train"))

    return go


def told(found):
    return [f"{problem.where}: {problem.what}" for problem in found if isinstance(problem, BadSample)]


def kept(found):
    return [sample.id for sample in found if isinstance(sample, Sample)]


def test_images_and_captions_keep_the_order_of_the_file(read, captions):
    assert read(captions) == [Sample(7, "b.png", ("Blue.",)), Sample(3, "a.png", ("Red.", "All red."))]


def test_nothing_is_printed(read, captions, capsys):
    read(captions)
    assert capsys.readouterr() == ("", "")


def test_limit_takes_the_first(read, captions):
    assert kept(read(captions, limit=1)) == [7]


def test_limit_does_not_count_broken_ones(read, captions):
    captions["images"][0]["file_name"] = "gone.png"
    assert kept(read(captions, limit=1)) == [3]


@pytest.mark.parametrize("name", ["gone.png", "../a.png", "", None])
def test_bad_image_names(read, captions, name):
    captions["images"][1]["file_name"] = name
    found = read(captions)
    assert kept(found) == [7]
    assert len(told(found)) == 1
    assert "train.json: image 3" in told(found)[0]


def test_repeated_image_and_annotation_ids(read, captions):
    captions["images"].append({"id": 3, "file_name": "b.png"})
    captions["annotations"].append({"id": 2, "image_id": 3, "caption": "Green."})
    found = read(captions)
    assert found[:2] == [Sample(7, "b.png", ("Blue.",)), Sample(3, "a.png", ("Red.", "All red."))]
    assert told(found) == [
        "train.json: image 3: 'id' is there twice; the first was kept",
        "train.json: annotation 2: 'id' is there twice; the first was kept",
    ]


@pytest.mark.parametrize("text", ["", "  \n", None, 5, ["Red."], "\udc80"])
def test_bad_caption_is_named_and_the_others_stay(read, captions, text):
    captions["annotations"][0]["caption"] = text
    found = read(captions)
    assert Sample(3, "a.png", ("All red.",)) in found
    assert len(told(found)) == 1
    assert told(found)[0].startswith("train.json: annotation 1: caption ")


def test_image_without_a_usable_caption_is_named_too(read, captions):
    captions["annotations"][1]["caption"] = ""
    found = read(captions)
    assert kept(found) == [3]
    assert told(found) == ["train.json: image 7: has no caption", "train.json: annotation 2: caption is empty"]


@pytest.mark.parametrize("image", [99, None, "x"])
def test_annotation_of_an_unknown_image(read, captions, image):
    captions["annotations"].append({"id": 9, "image_id": image, "caption": "Nothing."})
    found = read(captions)
    assert kept(found) == [7, 3]
    assert told(found) == [f"train.json: annotation 9: image_id {image!r} is not among the images"]


def test_ids_written_as_digits_join(read, captions):
    captions["images"][0]["id"] = "7"
    assert kept(read(captions)) == [7, 3]


@pytest.mark.parametrize("key", ["images", "annotations"])
def test_missing_lists(read, captions, key):
    del captions[key]
    with pytest.raises(DataError, match=f"has no '{key}'"):
        read(captions)


def test_unknown_split_names_the_known(root, cache):
    made = Coco(CocoConfig(folder="set", captions={"train": "a", "val": "b"}), root, cache)
    assert made.splits() == ("train", "val")
    with pytest.raises(DataError) as caught:
        made.read("vall")
    assert "'val'" in caught.value.remedy
    assert "train, val" in caught.value.remedy
