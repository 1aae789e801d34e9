"""Karpathy's splits: one file, restval by option, sub-folders, and every fault named."""

from __future__ import annotations

import pytest

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.sources.karpathy import Karpathy, KarpathyConfig
from vlpbench.types import Sample


def image(number, split, name, **more):
    sentences = [{"raw": f"Picture {number}.", "sentid": number * 10, "imgid": number, "tokens": []},
                 {"raw": "Again.", "sentid": number * 10 + 1, "imgid": number, "tokens": []}]
    return {"imgid": number, "split": split, "filename": name, "sentences": sentences, **more}


@pytest.fixture
def document(picture):
    for name in ("a.png", "b.png", "c.png", "val2014/d.png"):
        picture(name)
    return {"images": [image(0, "train", "a.png"), image(1, "test", "b.png"), image(2, "restval", "c.png"),
                       image(3, "train", "d.png", filepath="val2014", cocoid=99)]}


@pytest.fixture
def made(root, cache, put):
    def build(document, **settings):
        put("dataset.json", document)
        return Karpathy(KarpathyConfig(**{"folder": "set", "file": "dataset.json"} | settings), root, cache)

    return build


def parts(made, split):
    found = list(made.read(split))
    bad = [f"{x.where}: {x.what}" for x in found if isinstance(x, BadSample)]
    return [x for x in found if isinstance(x, Sample)], bad


def test_splits_are_those_of_the_file(made, document):
    assert made(document).splits() == ("train", "test")


def test_samples_and_sub_folders(made, document):
    good, bad = parts(made(document), "train")
    assert good == [Sample(0, "a.png", ("Picture 0.", "Again.")), Sample(3, "val2014/d.png", ("Picture 3.", "Again."))]
    assert bad == []


def test_restval_joins_train_by_option(made, document):
    good, _ = parts(made(document, restval=True), "train")
    assert [sample.id for sample in good] == [0, 2, 3]


def test_sub_folder_key_can_be_ignored(made, document):
    _, bad = parts(made(document, filepath=""), "train")
    assert bad == ["dataset.json: image 3: image 'd.png' does not exist"]


def test_another_id(made, document):
    good, bad = parts(made(document, id="cocoid"), "train")
    assert [sample.id for sample in good] == [99]
    assert len(bad) == 3
    assert all("has no 'cocoid'" in line for line in bad)


def test_split_of_an_unknown_name_is_told_in_every_split(made, document):
    document["images"][1]["split"] = "dev"
    document["images"].append(image(4, "val", "a.png"))
    for split in ("train", "val"):
        _, bad = parts(made(document), split)
        assert bad == ["dataset.json: image 1: split 'dev' is none of train, val, test, restval"]


@pytest.mark.parametrize(
    ("change", "what"),
    [({"sentences": "x"}, "has no list of 'sentences'"), ({"sentences": []}, "has no caption"),
     ({"filename": "gone.png"}, "does not exist"), ({"filename": None}, "names no image file"),
     ({"filepath": "../images"}, None), ({"filepath": "../.."}, "leads out of the folder")],
)
def test_broken_images(made, document, change, what):
    document["images"][0].update(change)
    good, bad = parts(made(document), "train")
    assert [sample.id for sample in good] == ([0, 3] if what is None else [3])
    assert len(bad) == (what is not None)
    assert what is None or what in bad[0]


def test_broken_sentences(made, document):
    first = document["images"][0]["sentences"]
    first += [{"raw": " ", "sentid": 500}, 7, {"raw": "Twice.", "sentid": 0}, {"sentid": 501}, {"raw": "No id."}]
    good, bad = parts(made(document), "train")
    assert good[0].captions == ("Picture 0.", "Again.", "No id.")
    assert bad == [
        "dataset.json: image 0, sentence number 3: caption is empty",
        "dataset.json: image 0, sentence number 4: is not an object",
        "dataset.json: image 0, sentence number 5: 'sentid' 0 is there twice; the first was kept",
        "dataset.json: image 0, sentence number 6: caption is missing",
    ]


def test_no_file_named(root, cache):
    with pytest.raises(DataError, match="no file is named"):
        Karpathy(KarpathyConfig(folder="set"), root, cache).splits()


def test_file_that_climbs(made, document):
    with pytest.raises(DataError, match="is not a name below"):
        made(document, file="../dataset.json").splits()
