"""A grid whose training or validation file is its test file under another name is refused before anything is run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.grid import Cell

GRID = """
floors = false
tasks = ["captioning"]
[base]
data = "mine"
[data.mine]
kind = "coco"
folder = "mine"
captions = { train = "TRAIN", val = "VAL", test = "TEST" }
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Captions of three splits."""
    folder = tmp_path / "data" / "mine"
    (folder / "images").mkdir(parents=True)
    for number, split in enumerate(("train", "val", "test"), 1):
        images = [{"id": number, "file_name": f"{number}.jpg"}]
        annotations = [{"id": number, "image_id": number, "caption": f"a {split} picture"}]
        (folder / f"{split}.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    return folder


def grid(train: str = "train.json", val: str = "val.json", test: str = "test.json") -> str:
    return GRID.replace("TRAIN", train).replace("VAL", val).replace("TEST", test)


def test_three_files_are_three_splits(made: Callable[..., list[Cell]], files: Path) -> None:
    (cell,) = made(grid())
    assert set(cell.fingerprints) == {"mine"}


@pytest.mark.parametrize(
    "names",
    [
        {"train": "test.json"}, {"val": "test.json"}, {"test": "train.json"}, {"train": "../mine/test.json"},
        {"train": "link.json"}, {"train": "copy.json"}, {"val": "copy.json"},
    ],
)
def test_a_test_file_by_another_name(made: Callable[..., list[Cell]], files: Path, names: dict[str, str]) -> None:
    (files / "link.json").symlink_to(files / "test.json")
    (files / "copy.json").write_bytes((files / "test.json").read_bytes())
    with pytest.raises(UserError, match="test") as caught:
        made(grid(**names))
    assert caught.value.exit_code == 2
    assert any(name in str(caught.value) for name in (*names.values(), "test.json")), "the file is named"
    assert "data" in str(caught.value)


def test_a_test_file_of_the_set_beside(made: Callable[..., list[Cell]], files: Path) -> None:
    """Pretraining on one set, tested on another that names the same file."""
    text = grid() + '[data.web]\nkind = "coco"\nfolder = "mine"\ncaptions = { train = "test.json" }\n'
    assert made(text), "a set that no cell reads is no harm"
    said = text.replace('data = "mine"', 'data = "web"') + '[protocol.captioning]\ndata = "mine"\n'
    with pytest.raises(UserError, match="test"):
        made(said)


def test_where_validation_is_scored_its_file_may_be_any_but_the_training_one(
    made: Callable[..., list[Cell]], files: Path
) -> None:
    assert made(grid(test="val.json"), "split=val"), "no test split is opened"
    with pytest.raises(UserError):
        made(grid(test="val.json"), "split=test")


def test_a_split_that_is_not_there_is_said(made: Callable[..., list[Cell]], files: Path) -> None:
    text: Any = grid().replace(', test = "TEST"', "").replace(', test = "test.json"', "")
    with pytest.raises(UserError, match="has no split 'test', which captioning needs; it has train, val"):
        made(text)
