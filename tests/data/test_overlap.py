"""Overlap on folders of files: exact and near copies are counted once, lookalikes and blank pictures are not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlpbench.data.overlap import Overlap, overlap, shown
from vlpbench.data.sources.coco import Coco, CocoConfig
from vlpbench.data.splits import Split, open_split
from vlpbench.data.worlds.digits import Digits, DigitsConfig
from vlpbench.data.worlds.shapes import Shapes, ShapesConfig
from vlpbench.data.worlds.signs import Signs, SignsConfig
from vlpbench.types import Sample

S = 64
SPLITS = ("train", "val", "test")


def scene(seed):
    """Coloured blots of all sizes, 120 x 100."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:100, :120].astype(float)
    made = np.zeros((100, 120, 3))
    for _ in range(30):
        cx, cy, wide = rng.uniform(0, 120), rng.uniform(0, 100), rng.uniform(5, 30)
        made += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / wide**2)[..., None] * rng.normal(0, 60, 3)
    return Image.fromarray(np.clip(made + 120, 0, 255).astype(np.uint8))


@pytest.fixture
def folder(tmp_path):
    """Write pictures by name; gives back what a split of them shows."""

    def build(name, **pictures):
        below = tmp_path / name
        below.mkdir()
        names = []
        for stem, picture in pictures.items():
            names.append(f"{stem}.png" if isinstance(picture, Image.Image) else f"{stem}.jpg")
            if isinstance(picture, Image.Image):
                picture.save(below / names[-1])
            else:
                (below / names[-1]).write_bytes(picture)
        dataset = Coco(CocoConfig(images=name), tmp_path, tmp_path / "cache")
        dataset.read = lambda _: iter([Sample(n, image) for n, image in enumerate(names)])
        return shown(name, dataset, open_split(dataset, "test", purpose="evaluate", size=S, on_bad="error"))

    return build


def test_exact_and_near_are_counted_apart_and_named(folder, tmp_path):
    learnt = folder("learnt", a=scene(1), b=scene(2), c=scene(3))
    (tmp_path / "same.png").write_bytes((tmp_path / "learnt" / "a.png").read_bytes())
    near = scene(2).resize((60, 50), Image.Resampling.BICUBIC)
    tested = folder("tested", near=near, same=Image.open(tmp_path / "same.png"), other=scene(4), both=scene(3))
    (tmp_path / "same.png").replace(tmp_path / "tested" / "same.png")
    (tmp_path / "tested" / "both.png").write_bytes((tmp_path / "learnt" / "c.png").read_bytes())
    found = overlap([learnt], [tested])
    assert found == Overlap(exact=2, near=1, of=4, first=(
        ("tested: same.png", "learnt: a.png"), ("tested: both.png", "learnt: c.png"),
        ("tested: near.png", "learnt: b.png"),
    ))


def test_a_test_picture_counts_once_however_often_it_was_learnt(folder):
    one = folder("one", a=scene(1), b=scene(1).crop((1, 1, 119, 99)))
    two = folder("two", a=scene(1).resize((60, 50)))
    tested = folder("tested", a=scene(1).resize((90, 75)), b=scene(1).resize((80, 70)), c=scene(9))
    found = overlap([one, two], [tested])
    assert (found.exact, found.near, found.of, len(found.first)) == (0, 2, 3, 2)


def test_blank_pictures_are_exact_or_nothing(folder):
    grey = {f"g{level}": Image.new("RGB", (40, 40), (level,) * 3) for level in (0, 100, 200)}
    learnt = folder("learnt", **grey, a=scene(1))
    tested = folder("tested", same=grey["g100"], other=Image.new("RGB", (40, 40), (101,) * 3), a=scene(2))
    assert overlap([learnt], [tested]) == Overlap(1, 0, 3, (("tested: same.png", "learnt: g100.png"),))


def test_a_picture_in_two_samples_is_one(tmp_path):
    scene(1).save(tmp_path / "a.png")
    dataset = Coco(CocoConfig(images=""), tmp_path, tmp_path / "cache")
    pixels = np.repeat(np.asarray(scene(1).resize((S, S)))[None], 2, 0)
    split = Split("coco", "test", (Sample(1, "a.png"), Sample(2, "a.png")), pixels, ())
    given = shown("twice", dataset, split)
    assert (given.files, given.rows.tolist()) == (("a.png",), [0])
    assert overlap([given], [given]).exact == 1


def test_nothing_to_compare(folder, tmp_path):
    dataset = Coco(CocoConfig(), tmp_path, tmp_path / "cache")
    texts = shown("texts", dataset, Split("text", "train", (Sample(1, captions=("a",)),), np.zeros((0, S, S, 3)), ()))
    tested = folder("tested", a=scene(1))
    assert overlap([texts], [tested]) == overlap([], [tested]) == Overlap(0, 0, 1, ())
    assert overlap([tested], [texts]) == Overlap(0, 0, 0, ())


@pytest.mark.parametrize(("kind", "config", "size"), [
    (Digits, DigitsConfig(train=250, val=20, test=60), 32), (Shapes, ShapesConfig(train=250, val=20, test=60), 48),
    (Signs, SignsConfig(train=250, val=20, test=60), 48),
])
def test_scenes_of_a_world_that_are_alike_are_not_the_same(kind, config, size, tmp_path):
    world = kind(config, tmp_path, tmp_path / "cache")
    learnt, tested = (
        shown("world", world, open_split(world, name, purpose="evaluate", size=size, on_bad="error"))
        for name in ("train", "test")
    )
    assert overlap([learnt], [tested]) == Overlap(0, 0, 60, ())
    assert overlap([learnt, tested], [tested]).exact == 60


@pytest.mark.skipif(not os.environ.get("VLPBENCH_DATA"), reason="VLPBENCH_DATA names no folder of real sets")
def test_real_pictures_and_their_copies(tmp_path):
    root = Path(os.environ["VLPBENCH_DATA"])
    if not (root / "flickr8k-1k").is_dir():
        pytest.skip("flickr8k-1k is not in VLPBENCH_DATA")
    files = {split: f"captions_{split}.json" for split in SPLITS}
    dataset = Coco(CocoConfig("flickr8k-1k", captions=files), root, tmp_path / "cache")
    opened = {split: open_split(dataset, split, purpose="evaluate", size=S, on_bad="skip") for split in SPLITS}
    learnt, tested = shown("flickr", dataset, opened["train"]), shown("flickr", dataset, opened["test"])
    assert overlap([learnt], [tested]) == Overlap(0, 0, len(tested.files), ())
    (tmp_path / "copies").mkdir()
    for name in tested.files:
        with Image.open(dataset.images / name) as picture:
            small = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC)
            small.save(tmp_path / "copies" / name, quality=60)
    copies = Coco(CocoConfig(images="copies"), tmp_path, tmp_path / "cache")
    copies.read = lambda _: iter(opened["test"].samples)
    copied = shown("copies", copies, open_split(copies, "train", purpose="train", size=S, on_bad="error"))
    assert overlap([learnt, copied], [tested]).near == len(tested.files)
