"""The contract of a data set, checked from outside: by vlpbench's own kit, by known answers, and as a plugin."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PIL import Image
from vlpbench_example import Config, ExampleDataset

from vlpbench.plugin import BadSample, DataError, Sample
from vlpbench.testing import parametrize_dataset_checks

ROWS = [
    {"image": "red.png", "captions": ["a red square", " something\tred "], "split": "train"},
    {"image": "blue.png", "captions": ["a blue square"], "split": "test"},
    {"image": "green.png", "captions": ["a green square"], "split": "train"},
]


@pytest.fixture
def written(tmp_path):
    """written(rows) -> the data set of these rows, with a picture of 8 x 8 pixels for each colour."""

    def write(rows):
        (tmp_path / "mine" / "images").mkdir(parents=True)
        for colour in ("red", "blue", "green"):
            Image.new("RGB", (8, 8), colour).save(tmp_path / "mine" / "images" / f"{colour}.png")
        lines = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
        (tmp_path / "mine" / "samples.jsonl").write_text(lines, encoding="utf-8")
        return ExampleDataset(Config("mine"), tmp_path, tmp_path / "cache")

    return write


@parametrize_dataset_checks([("three-rows", ROWS)])
def test_it_keeps_the_contract(dataset, check, written):
    check(written(dataset))


def test_a_line_is_a_sample(written):
    dataset = written(ROWS)
    assert dataset.splits() == ("train", "test")
    assert list(dataset.read("train")) == [
        Sample(1, "red.png", ("a red square", "something red")), Sample(3, "green.png", ("a green square",)),
    ]


@pytest.mark.parametrize(("changes", "said"), [
    ({"image": "pink.png"}, "pink.png"),
    ({"image": "../../secret.png"}, "secret.png"),
    ({"image": 7}, "no image"),
    ({"image": "red.png"}, "which line 1 has"),
    ({"captions": []}, "no list of captions"),
    ({"captions": ["a green square", " "]}, "empty"),
])
def test_what_cannot_be_used_is_told_in_its_place(written, changes, said):
    good, bad = written([ROWS[0], ROWS[2] | changes]).read("train")
    assert good.id == 1
    assert isinstance(bad, BadSample) and bad.where == "samples.jsonl: line 2" and said in bad.what


@pytest.mark.parametrize(("line", "said"), [("{", "no JSON"), ("[]", "no split"), ('{"split": "dev"}', "no split")])
def test_a_line_of_no_split_stops_it(written, line, said):
    with pytest.raises(DataError, match=said) as caught:
        written([ROWS[0], line]).splits()
    assert "line 2" in str(caught.value)


def test_another_picture_is_another_set(written):
    dataset = written(ROWS)
    before = dataset.fingerprint()
    Image.new("RGB", (8, 8), "yellow").save(dataset.images / "red.png")
    assert dataset.fingerprint() != before


def test_vlpbench_finds_it():
    command = [sys.executable, "-m", "vlpbench", "plugins", "list", "--json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert ["data set example-dataset"] in [plugin["brings"] for plugin in json.loads(listed.stdout)["plugins"]]
