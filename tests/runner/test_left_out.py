"""Samples that were left out stand in the record of every cell that they were left out of, whoever pretrained it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

GRID = """
schema = 1
name = "mixed"
plugins = ["failing.py"]
tasks = ["retrieval@zero-shot"]
floors = false
[base]
backbone = "linear/dual/nano"
data = "photos"
on_bad_sample = "skip"
objective = "good"
[budget]
samples = 16
batch = 8
[text]
vocabulary = 300
[data]
root = "."
[data.photos]
kind = "table"
folder = "set"
tables = { train = "train.csv", test = "test.csv" }
"""


@pytest.fixture
def photos(written: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grid file on twelve pictures beside it, one of them cut short."""
    monkeypatch.setenv("VLPBENCH_DATA", "forgotten after the test")
    file: Path = written({}, GRID)
    images = file.parent / "set" / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(12):
        pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(images / f"{number}.png")
    whole = (images / "3.png").read_bytes()
    (images / "3.png").write_bytes(whole[: len(whole) // 2])
    for split, numbers in (("train", range(8)), ("test", range(8, 12))):
        rows = "".join(f"{number}.png,picture number {number}\n" for number in numbers)
        (file.parent / "set" / f"{split}.csv").write_text("image,caption\n" + rows)
    return file


def test_a_second_cell_says_it_too(ran: Any, photos: Path, tmp_path: Path) -> None:
    found = type(ran)(photos, tmp_path).again()
    assert found.code == 0
    folder = found.folder("good")
    said = folder.read("scores.json")["left_out"]
    assert said["photos/train"]["count"] == 1 and "3.png" in said["photos/train"]["first"][0]
    assert "photos/train: 1 samples left out" in found.out
    before = folder.status()["files"]
    shutil.rmtree(folder.path)
    assert found.again().code == 0
    assert folder.status()["files"] == before, "its pretraining was there already, and with it what was left out"


def test_a_broken_sample_stops_the_run_unless_it_may_be_left_out(ran: Any, photos: Path, tmp_path: Path) -> None:
    photos.write_text(photos.read_text().replace('"skip"', '"error"'))
    found = type(ran)(photos, tmp_path).again()
    assert found.code == 2
    assert "3.png" in found.err and 'on_bad_sample = "skip"' in found.err
