"""Files of test splits under the name of another split: refused by place and by bytes, within a set and between two."""

from __future__ import annotations

import json
import os

import pytest

from vlpbench.config.settings import Portion
from vlpbench.data.errors import DataError, TestSplitRefused
from vlpbench.data.shared_files import refuse_shared_files
from vlpbench.data.sources.coco import Coco, CocoConfig
from vlpbench.data.sources.karpathy import Karpathy, KarpathyConfig
from vlpbench.data.sources.table import Table, TableConfig
from vlpbench.data.sources.text import Text, TextConfig
from vlpbench.data.sources.vqa import Vqa, VqaConfig
from vlpbench.data.weakened import weakened
from vlpbench.data.worlds.digits import Digits, DigitsConfig


@pytest.fixture
def files(put, captions):
    """Captions files of three splits, all of one size and of different bytes."""
    for split, word in {"train": "Read.", "val": "Road.", "test": "Rood."}.items():
        captions["annotations"][0]["caption"] = word
        put(f"{split}.json", captions)


@pytest.fixture
def coco(files, root, cache):
    def build(below=root, **named):
        return Coco(CocoConfig("set", captions=named), below, cache)

    return build


def through(trained, tested):
    """Whether all is let through; what is refused is raised."""
    return refuse_shared_files(trained, tested) is None  # type: ignore[func-returns-value]


def refused(one, other=None):
    with pytest.raises(TestSplitRefused) as caught:
        refuse_shared_files({"one": one}, {"other": other} if other else {"one": one})
    assert "test" in caught.value.cause
    assert "[data.one]" in caught.value.place
    return caught.value


def test_different_files_are_let_through(coco):
    apart = coco(train="train.json", val="val.json", test="test.json")
    assert through({"a": apart, "b": coco(train="val.json")}, {"a": apart, "b": coco(test="test.json")})


@pytest.mark.parametrize("split", ["train", "val"])
def test_one_file_named_twice_in_a_set(coco, split):
    told = refused(coco(**{split: "test.json", "test": "test.json"}))
    assert f"named for the {split} split of 'one' as well" in told.cause


def test_between_two_sets(coco):
    told = refused(coco(train="test.json"), coco(test="test.json"))
    assert "the test file of 'other'" in told.cause


def test_only_what_is_tested_counts(coco):
    both = coco(train="test.json", test="test.json")
    assert through({"a": both}, {})
    assert through({}, {"a": both})
    assert through({"a": both}, {"b": coco(train="train.json", test="train.json")})


@pytest.mark.parametrize("how", [os.symlink, os.link])
def test_links(coco, root, how):
    how(root / "set" / "test.json", root / "set" / "other.json")
    assert refused(coco(train="other.json"), coco(test="test.json"))


def test_a_copy_under_another_name(coco, root):
    (root / "set" / "copy.json").write_bytes((root / "set" / "test.json").read_bytes())
    told = refused(coco(train="copy.json"), coco(test="test.json"))
    assert "test.json" in told.cause
    assert "same bytes as copy.json" in told.cause


def test_by_a_way_that_leads_up(coco, root):
    (root / "beside").mkdir()
    assert refused(coco(root / "beside" / "..", train="test.json"), coco(test="test.json"))
    with pytest.raises(DataError, match="not a name below"):
        refuse_shared_files({"a": coco(train="../set/test.json")}, {"a": coco(test="test.json")})


def test_through_a_weakened_set(coco):
    spoilt = weakened(coco(train="test.json"), Portion(share=0.5))
    assert refused(spoilt, coco(test="test.json"))


def test_of_other_kinds(coco, root, cache, put, questions, annotations):
    put("q.json", questions)
    put("a.json", annotations)
    asked = Vqa(VqaConfig("set", questions={"train": "q.json", "test": "test.json"},
                          annotations={"test": "a.json"}), root, cache)
    assert [path.name for path in asked.files_of("test")] == ["test.json", "a.json"]
    told = Vqa(VqaConfig("set", questions={"train": "q.json"}, annotations={"train": "a.json"}), root, cache)
    assert refused(told, asked)
    put("t.csv", "image,caption\na.png,Red\n")
    table = Table(TableConfig("set", tables={"train": "t.csv", "test": "t.csv"}), root, cache)
    assert refused(table)
    lines = Text(TextConfig("set", {"train": "test.json"}), root, cache)
    assert refused(lines, coco(test="test.json"))  # the words of a test split, read as plain text


def test_a_file_that_says_whose_a_sample_is(root, cache, put, picture):
    picture("a.png")
    rows = [{"imgid": n, "filename": "a.png", "split": split, "sentences": [{"raw": split}]}
            for n, split in enumerate(("train", "val", "test", "restval"))]
    put("k.json", {"images": rows})
    one, rest = (Karpathy(KarpathyConfig("set", file="k.json", restval=join), root, cache) for join in (False, True))
    assert [*one.files_of("train"), *one.files_of("test")] == []
    assert through({"one": one, "rest": rest}, {"one": one, "rest": rest})
    for each, learnt in ((one, ["train"]), (rest, ["train", "restval"])):
        assert [sample.captions[0] for sample in each.read("train")] == learnt
        assert [sample.captions[0] for sample in each.read("test")] == ["test"]


def test_what_is_not_there_or_made_has_no_part(coco, root, cache):
    (root / "set" / "empty.json").touch()
    (root / "set" / "nothing.json").touch()
    world = Digits(DigitsConfig(), root, cache)
    assert through({"a": coco(train="empty.json"), "b": coco(train="gone.json"), "c": world},
                   {"a": coco(test="nothing.json"), "b": coco(test="lost.json"), "c": world})
    assert refused(coco(train="gone.json"), coco(test="gone.json"))


def test_equal_json_saved_anew_is_not_noticed_here(coco, root):
    held = json.loads((root / "set" / "test.json").read_text())
    (root / "set" / "anew.json").write_text(json.dumps(held, indent=1))
    assert through({"a": coco(train="anew.json")}, {"a": coco(test="test.json")})
