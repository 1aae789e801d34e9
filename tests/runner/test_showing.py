"""What `data show` shows is what training sees."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from vlpbench.data.images import prepare_images
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import cells, open_grid
from vlpbench.runner import batches, pretraining
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.showing import look
from vlpbench.runner.showing_picture import draw_look
from vlpbench.runner.workbench import Workbench, opened_here

GRID = """
seeds = [3]
[data.digits]
train = 40
val = 8
test = 8
[budget]
samples = 48
batch = 8
[protocol.vqa]
samples = 32
batch = 16
[[rows]]
name = "sum"
objective = "prefix-lm + contrastive"
[[rows]]
name = "nothing"
objective = "none"
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "small.toml"
    path.write_text(GRID)
    return str(path)


@pytest.fixture
def bench(grid):
    def make(row="sum", *overrides):
        read, registry = open_grid(grid, overrides)
        cell = next(cell for cell in cells(read, registry, opened_here) if cell.row == row)
        return Workbench(cell, registry, Device("cpu"))

    return make


def test_it_is_the_batch_that_pretraining_sees(bench, tmp_path, monkeypatch):
    seen = []

    def train(lesson, *_):
        seen.extend(lesson.loader)
        raise InterruptedError

    monkeypatch.setattr(pretraining, "train_lesson", train)
    with pytest.raises(InterruptedError):
        pretraining.pretrain(bench(), Sharing(tmp_path))
    for step in (0, 5):
        shown, trained = look(bench(), step).views, seen[step].batches[0].views
        assert shown.keys() == trained.keys() == {"prefix-lm", "contrastive"}
        for name in shown:
            np.testing.assert_array_equal(shown[name].tokens, trained[name].tokens)
            assert shown[name].extras.keys() == trained[name].extras.keys()
            for key in shown[name].extras:
                np.testing.assert_array_equal(shown[name].extras[key], trained[name].extras[key])


def test_pictures_are_those_of_the_stem(bench):
    seen = look(bench("sum", "image.crop=0.4", "image.flip=true"), 2)
    host = batches.pretraining_loader(bench("sum", "image.crop=0.4", "image.flip=true")).host(2).batches[0]
    pixels, boxes, flips = map(torch.from_numpy, (host.pixels, host.augmented[0].boxes, host.augmented[0].flips))
    images = prepare_images(pixels, 32, boxes, flips)
    again = torch.from_numpy(seen.pictures.astype(np.float32) / 255 * 2 - 1).permute(0, 3, 1, 2)
    assert (again - images).abs().max() <= 1 / 255 + 1e-6


def test_without_crops_pictures_are_the_stored_ones(bench):
    seen = look(bench())
    stored = bench().split("digits", "train", "train")
    at = [sample.id for sample in stored.samples].index(int(seen.batch.image_ids[0]))
    np.testing.assert_array_equal(seen.pictures[0], stored.pixels[at])


def test_a_sample_says_where_it_is_from(bench):
    plain, cropped = look(bench()), look(bench("sum", "image.crop=0.4", "image.flip=true"))
    title, text, *rest = plain.sample(1)
    assert title == f"sample 1, image {plain.batch.image_ids[1]}, caption {plain.batch.caption_ids[1]}"
    stored = {sample.id: sample for sample in bench().split("digits", "train", "train").samples}
    assert text.strip() in [caption.lower() for caption in stored[int(plain.batch.image_ids[1])].captions]
    assert [line.strip() for line in rest if line.strip() in plain.views] == ["prefix-lm", "contrastive"]
    box = " ".join(f"{side:.2f}" for side in cropped.augmented[0].boxes[1])
    assert f"crop {box}" in cropped.sample(1)[0]
    marked = ["mirrored" in cropped.sample(row)[0] for row in range(8)]
    assert marked == cropped.augmented[0].flips.tolist()


def test_headline_counts(bench):
    assert look(bench(), 5).headline().startswith(
        "pretraining, step 5 of 6, prefix-lm + contrastive: 8 samples, pictures of 32 x 32 pixels"
    )


def test_fine_tunes_can_be_looked_at(bench):
    seen = look(bench("nothing"), 1, "vqa")
    assert (seen.stage, seen.steps, len(seen.batch)) == ("fine-tune for vqa", 2, 16)
    line = next(line for line in seen.sample(0) if "targets" in line)
    assert line.split("targets")[1].split("=")[0].strip() in seen.answers


@pytest.mark.parametrize(("row", "step", "task", "said"), [
    ("nothing", 0, "", "pretrains nothing"),
    ("sum", 6, "", "there is no step 6"),
    ("sum", -1, "", "there is no step -1"),
    ("sum", 2, "vqa", "there is no step 2"),
    ("sum", 0, "captioning@zero-shot", "has no fine-tune"),
    ("sum", 0, "vqaa", "unknown task 'vqaa'"),
])
def test_what_cannot_be_shown_is_said(bench, row, step, task, said):
    with pytest.raises(UserError, match=said) as wrong:
        look(bench(row), step, task)
    assert wrong.value.remedy


def test_a_picture_of_it(bench, tmp_path):
    seen = look(bench())
    draw_look(seen, 5, tmp_path / "batch.png")
    with Image.open(tmp_path / "batch.png") as drawn:
        pixels = np.asarray(drawn)
    block = pixels[16 : 16 + 288 : 9, 16 : 16 + 288 : 9]
    np.testing.assert_array_equal(block, seen.pictures[0])
    below = pixels[16 + 288 : 16 + 288 + 60, 16:200]
    assert (below < 100).any() and (pixels[-8:] == 255).all()
    assert list(tmp_path.iterdir()) == [tmp_path / "batch.png"]


def test_texts_without_pictures_are_drawn_too(bench, tmp_path):
    draw_look(dataclasses.replace(look(bench()), pictures=None), 2, tmp_path / "texts.png")
    with Image.open(tmp_path / "texts.png") as drawn:
        assert drawn.height < 288
        assert (np.asarray(drawn) < 100).any()


def test_a_picture_is_a_png(bench, tmp_path):
    with pytest.raises(UserError, match="not named as a PNG"):
        draw_look(look(bench()), 1, tmp_path / "batch.gif")
