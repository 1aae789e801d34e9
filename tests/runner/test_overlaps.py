"""Pictures that were learnt from and are scored: told in the record, whichever split they were learnt from."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import Tensor, nn

import vlpbench
from vlpbench.contract.abilities import ImageState
from vlpbench.records import cell_folders

CLASSES = ("dark", "bright")


class Tower(vlpbench.Outside):
    """Pictures alone, with random weights."""

    offers = frozenset({"image_vector"})
    pixels, joint_width = 32, 8

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.tower = timm.create_model("resnet10t", pretrained=False, num_classes=8)

    def image_vector(self, image: ImageState) -> Tensor:
        """B, E: one vector a picture."""
        return nn.functional.normalize(self.tower(image.images), dim=1)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of classes, eight pictures a class and split, all different."""
    draw = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for shade, name in enumerate(CLASSES):
            folder = tmp_path / "set" / split / name
            folder.mkdir(parents=True)
            for number in range(8):
                pixels = draw.integers(0, 128, (32, 32, 3), np.uint8) + np.uint8(100 * shade)
                Image.fromarray(pixels).save(folder / f"{split}{number}.png")
    monkeypatch.setenv("VLPBENCH_DATA", str(tmp_path))
    return tmp_path / "set"


def told(results: Path, task: str) -> dict[str, dict[str, object]]:
    """What the record of a model says of shared pictures."""
    vlpbench.evaluate(Tower(), [task], {"mine": {"kind": "folders", "folder": "set"}}, results=results)
    (folder,) = cell_folders(results)
    found: dict[str, dict[str, object]] = folder.read("scores.json")["overlap"]
    return found


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_probe_is_fitted_to_train_and_val(split: str, root: Path, tmp_path: Path) -> None:
    shutil.copy(root / split / "dark" / f"{split}3.png", root / "test" / "dark" / "again.png")
    found = told(tmp_path / "results", "classification@probe")
    assert (found["mine"]["exact"], found["mine"]["near"], found["mine"]["of"]) == (1, 0, 17)
    assert "again.png" in str(found["mine"]["first"]) and f"{split}3.png" in str(found["mine"]["first"])


def test_strangers_are_not_found_and_the_answer_is_remembered(root: Path, tmp_path: Path) -> None:
    one = told(tmp_path / "one", "classification@probe")
    assert one == {"mine": {"exact": 0, "near": 0, "of": 16, "first": []}}
    assert told(tmp_path / "two", "classification@probe") == one
