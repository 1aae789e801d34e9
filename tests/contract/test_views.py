"""Further views of a picture: cropped and mirrored anew, without a trace in what others see, and cut with the batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vlpbench.backbones import DualEncoder
from vlpbench.cli.main import main
from vlpbench.config.settings import ImageSettings
from vlpbench.contract.noconfig import NoConfig
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.images import prepare_images
from vlpbench.data.loader import Loader, Surgery
from vlpbench.device import Device
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.plugin import gather, own, parts
from vlpbench.registry import Registry
from vlpbench.runner.batches import pretraining_loader
from vlpbench.runner.showing import look
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.testing.rounds import crossed
from vlpbench.testing.tiny import VOCABULARY, tiny_backbone, tiny_batches
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.joint import with_states
from vlpbench.training.learner import Learner, Term
from vlpbench.types import Batch, Step

CPU = Device("cpu")
PLUGIN = '''
from vlpbench.plugin import Objective, Step, hookimpl

class Twice(Objective):
    """Two views of a picture lie close."""
    name, views, needs = "twice", 2, frozenset({"image_vector", "text_vector"})
    trains = frozenset({"vectors"})

    def encode(self, backbone, batch):
        first, second = (backbone.image_vector(view) for view in batch.views[:2])
        return {"x": (first * second).sum(1) + (first * backbone.text_vector(batch.text)).sum(1)}

    def loss(self, features, batch):
        return Step(2 - features["x"])

class Thrice(Twice):
    name, views = "thrice", 3

@hookimpl
def vlpbench_objectives():
    return [Twice, Thrice]
'''
GRID = """
plugins = ["twice.py"]
floors = false
tasks = ["retrieval@zero-shot"]
[base]
backbone = "linear/dual/nano"
data = "digits"
[image]
crop = 0.5
[data.digits]
train = 30
val = 8
test = 8
[budget]
samples = 32
batch = 8
[text]
trained_on = "digits"
[[rows]]
name = "once"
objective = "contrastive"
[[rows]]
name = "both"
objective = "contrastive + twice"
[[rows]]
name = "three"
objective = "thrice + twice"
[[rows]]
name = "words"
objective = "prefix-lm + twice"
backbone = "linear/encoder-decoder/nano"
texts = "digits-texts"
"""


class Close(Objective):
    """All views of all pictures against all texts: every sample sees every other, in each view."""

    name, views, coupled = "close", 3, "all"
    needs, trains = frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        assert batch.views[0] is batch.image and len(batch.views) >= 3
        seen = {f"image{at}": backbone.image_vector(view) for at, view in enumerate(batch.views[:3])}
        return {**seen, "text": backbone.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        target, text = parts.spread(parts.same(batch.image_ids)), features["text"]
        rows = [
            parts.two_sided_cross_entropy(5 * own(one) @ gather(text).T, 5 * own(text) @ gather(one).T, target, target)
            for one in (features[f"image{at}"] for at in range(3))
        ]
        return Step(sum(rows, torch.zeros(len(batch))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("views")
    (made / "twice.py").write_text(PLUGIN)
    (made / "grid.toml").write_text(GRID)
    return made


Opened = Callable[..., tuple[dict[str, Cell], Registry]]


@pytest.fixture(scope="module")
def opened(folder: Path) -> Opened:
    """(overrides) -> cells by row, and the registry."""

    def make(*overrides: str) -> tuple[dict[str, Cell], Registry]:
        grid, registry = open_grid(str(folder / "grid.toml"), overrides)
        return {cell.row: cell for cell in cells(grid, registry, opened_here)}, registry

    return make


@pytest.fixture(scope="module")
def bench(opened: Opened) -> Callable[..., Workbench]:
    def make(row: str, *overrides: str) -> Workbench:
        found, registry = opened(*overrides)
        return Workbench(found[row], registry, CPU)

    return make


def test_the_first_view_is_the_same_whoever_else_looks(bench: Callable[..., Workbench]) -> None:
    """Cells that differ by an objective of more views see the same first pictures and texts: they are paired."""
    seen = {row: pretraining_loader(bench(row)) for row in ("once", "both", "three")}
    for step in (0, 3):
        hosts = {row: one.host(step).batches[0] for row, one in seen.items()}
        assert [len(hosts[row].augmented) for row in seen] == [1, 2, 3]
        on_device = {row: next(iter(host.to(CPU.torch)["pairs"].values())) for row, host in hosts.items()}
        first = on_device["once"]
        for row, batch in on_device.items():
            assert torch.equal(batch.images, first.images) and torch.equal(batch.tokens, first.tokens)
            assert len(batch.others) == {"once": 0, "both": 1, "three": 2}[row]
        assert torch.equal(on_device["both"].others[0], on_device["three"].others[0])


def test_each_view_is_cropped_by_chance_of_its_own(bench: Callable[..., Workbench]) -> None:
    host = pretraining_loader(bench("three", "image.flip=true")).host(1).batches[0]
    boxes, flips = [one.boxes for one in host.augmented], [one.flips for one in host.augmented]
    assert all(not np.allclose(boxes[a], boxes[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert not (np.array_equal(flips[0], flips[1]) and np.array_equal(flips[1], flips[2]))
    batch = host.to(CPU.torch)["pairs"]["twice"]
    assert host.pixels is not None
    for at, other in enumerate(batch.others, 1):
        box, flip = (torch.from_numpy(np.asarray(one[at])) for one in (boxes, flips))
        assert torch.equal(other, prepare_images(torch.from_numpy(host.pixels), host.image.size, box, flip,
                                                 host.image.mean, host.image.std))


def test_texts_alone_have_no_view(
    bench: Callable[..., Workbench], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, texts = pretraining_loader(bench("words")).host(0).batches
    (batch,) = texts.to(CPU.torch)["texts"].values()
    assert batch.others == () and batch.views == () and batch.images is None
    assert main(["data", "show", str(folder / "grid.toml"), "--row", "words", "--texts", "--count", "1"]) == 0
    assert "crop" not in capsys.readouterr().out, "there is nothing to crop"


def made_learner(*objectives: type[Objective]) -> tuple[Learner, dict[str, dict[str, Batch]]]:
    backbone = tiny_backbone({"image_vector", "text_vector"}, DualEncoder)
    terms = [Term(1.0 + at, cls(cls.config_class(), backbone.spec)) for at, cls in enumerate(objectives)]
    batch = crossed(tiny_batches(8, views=3)["pairs"])
    assert batch.vocabulary is VOCABULARY
    return Learner(backbone, terms), {"pairs": {cls.name: batch for cls in objectives}}


@pytest.mark.parametrize("size", [1, 3, 4])
def test_micro_batches_give_the_gradient_of_the_whole(size: int) -> None:
    learner, step = made_learner(Close, Contrastive)

    def gradients(micro_batch: int) -> dict[str, Tensor]:
        learner.zero_grad()
        loss, _, _ = joint_gradient(learner, step, CPU, micro_batch)
        return {"loss": loss.detach()} | {
            name: weight.grad.clone() for name, weight in learner.named_parameters() if weight.grad is not None
        }

    expected, found = gradients(0), gradients(size)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)
    batch = step["pairs"]["close"]
    other = {"pairs": {name: batch.rows(slice(0, 8)) for name in step["pairs"]}}
    other["pairs"]["close"].others[1].neg_()  # a view of its own memory would be the batch's
    learner.zero_grad()
    changed = joint_gradient(learner, other, CPU, 0)[0]
    assert abs(float(changed) - float(expected["loss"])) > 1e-3, "the last view takes part"


def test_each_view_is_seen_once_a_step_and_only_if_asked() -> None:
    learner, step = made_learner(Close, Contrastive)
    calls: list[int] = []
    learner.backbone.stem.register_forward_hook(lambda _, given, __: calls.append(len(given[0])))
    joint_gradient(learner, step, CPU)
    assert calls == [8, 8, 8]
    calls.clear()
    alone = Learner(learner.backbone, [Term(1.0, Contrastive(Contrastive.config_class(), learner.backbone.spec))])
    joint_gradient(alone, {"pairs": {"contrastive": step["pairs"]["contrastive"]}}, CPU)
    assert calls == [8], "lazy: nobody asked for the others"


def test_states_stand_beside_each_other() -> None:
    learner, step = made_learner(Close)
    batch = with_states(learner.backbone, step["pairs"])["close"]
    assert len(batch.views) == 3 and batch.views[0] is batch.image
    for state, images in zip(batch.views, (batch.images, *batch.others), strict=True):
        assert state.images is images
    some = batch.rows(slice(2, 5))
    assert some.views == () and [len(one) for one in some.others] == [3, 3]
    assert torch.equal(some.others[1], batch.others[1][2:5])


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ((), None),
        (("image.crop=1", "image.flip=true"), None),
        (("image.crop=0.9",), None),
        (("image.crop=1",), "n/a: twice sees each picture 2 times, and all would be equal: image.crop is 1"),
    ],
)
def test_a_cell_whose_views_would_be_equal_says_so(
    opened: Opened, overrides: tuple[str, ...], reason: str | None
) -> None:
    found, _ = opened(*overrides)
    assert found["both"].reason == reason and found["once"].reason is None


def test_views_that_are_no_number_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("0", "True", "2.0", '"two"'):
        (tmp_path / "wrong.py").write_text(PLUGIN.replace('"thrice", 3', f'"thrice", {wrong}'))
        main(["-p", str(tmp_path / "wrong.py"), "plugins", "doctor"])
        said = capsys.readouterr()
        assert re.search(r"Thrice\.views is ", said.out + said.err), wrong


def test_show_prints_how_each_view_is_cropped(
    bench: Callable[..., Workbench], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "show", str(folder / "grid.toml"), "--row", "both", "--count", "2",
                 "-S", "image.flip=true", "--out", str(folder / "drawn.png")]) == 0
    titles = [line for line in capsys.readouterr().out.splitlines() if line.startswith("sample ")]
    seen = look(bench("both", "image.flip=true"), 0)
    assert len(titles) == 2 and (folder / "drawn.png").stat().st_size > 0
    for row, title in enumerate(titles):
        for at, one in enumerate(seen.augmented, 1):
            assert one.boxes is not None and one.flips is not None
            box = " ".join(f"{side:.2f}" for side in one.boxes[row])
            assert f"view {at}: crop {box}" + (" mirrored" if one.flips[row] else "") in title.replace(",", "")
    assert main(["data", "show", str(folder / "grid.toml"), "--row", "once", "--count", "1"]) == 0
    assert "view 1" not in capsys.readouterr().out


def test_settings_of_pictures_hold_for_all_views() -> None:
    """Mean and standard deviation too."""
    surgery = Surgery("close", Close.corrupt, NoConfig(), (), 2)
    pixels = np.full((4, 8, 8, 3), 51, np.uint8)
    tokens = np.ones((4, 3), np.int64)
    four = np.arange(4)
    given = Examples(pixels, four, four, tokens, tokens > 0, four, four, np.ones(4, int))
    image = ImageSettings(size=8, crop=0.5, mean=(0.2, 0.2, 0.2), std=(0.5, 0.5, 0.5))
    batch = Loader(given, [surgery], VOCABULARY, image, 0, 4, 1).host(0).to(CPU.torch)["pairs"]["close"]
    for images in (batch.images, *batch.others):
        assert float(images.abs().max()) < 1e-5
