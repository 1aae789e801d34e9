"""Who sees whom: groups in `encode`, all in `loss`, or both; however a step is cut, its gradient is the whole's."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vlpbench.backbones import DualEncoder, Linear
from vlpbench.backbones.sizes import SIZES
from vlpbench.contract.noconfig import NoConfig
from vlpbench.contract.objective import Objective, compares_all, group_of, is_coupling
from vlpbench.device import Device
from vlpbench.plugin import gather, mine, own, parts
from vlpbench.testing import CheckFailed, objective_checks
from vlpbench.training.build import Blueprint, draw
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.learner import Learner, Term
from vlpbench.types import Batch, Step, Vocabulary

CPU = Device("cpu")
VOCABULARY = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
VECTORS = frozenset({"image_vector", "text_vector"})


class Mixed(Objective):
    """Each text's vector is mixed with its neighbour's in `encode` (groups of two); then all are compared."""

    name, needs, coupled = "mixed", VECTORS, (2, "all")

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.scale = torch.nn.Parameter(torch.tensor(3.0))
        self.fold = torch.nn.Linear(spec.joint_width, spec.joint_width, bias=False)

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        text = backbone.text_vector(batch.text)
        other = text.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
        return {"image": self.fold(backbone.image_vector(batch.image)), "text": 0.7 * text + 0.3 * other}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        image, text = features["image"], features["text"]
        whole = self.scale * gather(image) @ gather(text).T
        to_text, to_image = mine(whole), mine(whole.T)
        targets = parts.spread(parts.same(batch.image_ids) | parts.same(batch.caption_ids), 0.1)
        rows = parts.two_sided_cross_entropy(to_text, to_image, targets, parts.spread(parts.single(batch.image_ids)))
        assert torch.equal(own(image), image)
        return Step(rows, {"high": to_text.detach().amax(1).mean()}, {"text": text})


class Pairs(Mixed):
    """Groups alone: the same features, and a loss that is each row's own."""

    name, coupled = "pairs", 2

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(1 - (features["image"] * features["text"]).sum(1))


class Threes(Pairs):
    """Groups of three."""

    name, coupled = "threes", 3

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        text = backbone.text_vector(batch.text)
        other = text.unflatten(0, (-1, 3)).mean(1, keepdim=True).expand(-1, 3, -1).flatten(0, 1)
        return {"image": self.fold(backbone.image_vector(batch.image)), "text": text - 0.5 * other}


def made_learner(*objectives: type[Objective]) -> Learner:
    backbone = Blueprint(Linear, "", DualEncoder, SIZES["nano"], 32, VOCABULARY, 6, seed=0).build(VECTORS)
    terms = []
    for at, cls in enumerate(objectives):
        objective = cls(NoConfig(), backbone.spec)
        draw(objective, 0, prefix=f"objective/{cls.name}/")
        terms.append(Term(1.0 + at, objective))
    return Learner(backbone, terms)


def made_step(*objectives: type[Objective]) -> dict[str, dict[str, Batch]]:
    """Pairs among which a picture and a sentence come twice, a process's rows apart."""
    rng, samples = np.random.default_rng(3), 12
    mask = torch.arange(6)[None] < torch.from_numpy(rng.integers(2, 7, (samples, 1)))
    tokens = torch.from_numpy(rng.integers(10, 60, (samples, 6))) * mask
    images = torch.from_numpy(rng.standard_normal((samples, 3, 32, 32), dtype=np.float32))
    ids, captions = torch.arange(samples), torch.arange(samples)
    ids[-1], captions[-2] = ids[0], captions[1]
    batch = Batch(images, tokens, mask, ids, captions, torch.zeros(()), VOCABULARY)
    return {"pairs": {cls.name: batch for cls in objectives}}


def gradients(learner: Learner, step: Any, micro_batch: int = 0) -> dict[str, Tensor]:
    learner.zero_grad()
    loss, figures, carries = joint_gradient(learner, step, CPU, micro_batch)
    found = {f"gradient {name}": w.grad.clone() for name, w in learner.named_parameters() if w.grad is not None}
    found |= {f"figure {name}": value for name, value in figures.items()}
    return found | {"loss": loss.detach(), "carry": carries["mixed"]["text"]}


def assert_close(ours: Mapping[str, Tensor], whole: Mapping[str, Tensor]) -> None:
    assert ours.keys() == whole.keys() and any(name.startswith("gradient backbone.stem") for name in whole)
    for name, value in whole.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-6, msg=lambda said, name=name: name + said)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 12])
def test_groups_and_all_in_micro_batches_of_any_size(size: int) -> None:
    learner, step = made_learner(Mixed), made_step(Mixed)
    expected = gradients(learner, step)
    seen: list[int] = []
    learner.backbone.stem.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    assert_close(gradients(learner, step, size), expected)
    pieces = {1: [2] * 6, 2: [2] * 6, 3: [4] * 3, 4: [4] * 3, 5: [6] * 2, 7: [8, 4], 12: [12]}[size]
    assert seen == (pieces if size == 12 else 2 * pieces), "whole groups, and once more for what is cached"


@pytest.mark.parametrize("size", [1, 4, 6])
def test_beside_others_the_least_whole_groups_of_all_go_through(size: int) -> None:
    objectives = (Mixed, Pairs, Threes)
    learner, step = made_learner(*objectives), made_step(*objectives)
    expected = gradients(learner, step)
    seen: list[int] = []
    learner.backbone.stem.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    assert_close(gradients(learner, step, size), expected)
    assert seen == [6, 6, 6, 6]


def test_all_see_all_in_the_loss() -> None:
    """Otherwise this would test groups alone: another last row changes the first row's gradient."""
    learner, step = made_learner(Mixed), made_step(Mixed)
    expected = gradients(learner, step)["gradient terms.mixed.fold.weight"]
    batch = step["pairs"]["mixed"]
    other = dataclasses.replace(batch, images=torch.cat([batch.images[:-1], -batch.images[-1:]]))
    assert not torch.allclose(gradients(learner, {"pairs": {"mixed": other}})["gradient terms.mixed.fold.weight"],
                              expected, atol=1e-5)


CHECKS = ("metadata", "samples-apart", "micro-batches")


@pytest.mark.parametrize(
    ("said", "failing"),
    [((2, "all"), set()), ("all", {"samples-apart"}), (2, {"samples-apart"}), (None, {"samples-apart"})],
)
def test_the_kit_sees_what_is_not_declared(said: Any, failing: set[str]) -> None:
    cls = type("Said", (Mixed,), {"name": "said", "coupled": said})
    failed = set()
    for name in CHECKS:
        try:
            objective_checks()[name](cls)
        except CheckFailed:
            failed.add(name)
    assert failed >= failing and bool(failed) == bool(failing)


@pytest.mark.parametrize(
    ("value", "group", "everybody"),
    [(None, 1, False), (2, 2, False), (17, 17, False), ("all", 1, True), ((2, "all"), 2, True), ((4, "all"), 4, True)],
)
def test_what_says_who_sees_whom(value: Any, group: int, everybody: bool) -> None:
    assert is_coupling(value) and group_of(value) == group and compares_all(value) is everybody
    cls = type("Said", (Mixed,), {"name": "said", "coupled": value})
    one = cls(NoConfig(), made_learner(Mixed).backbone.spec)
    assert (one.group, one.compares_all) == (group, everybody)


@pytest.mark.parametrize(
    "value", [0, 1, -2, True, 2.0, "some", (1, "all"), (2,), ("all", 2), (2, "some"), (True, "all"), (2, "all", 2), [],
              (None, "all"), ("all", "all"), ((2, "all"), "all")],
)
def test_what_does_not(value: Any) -> None:
    assert not is_coupling(value)


def share_of_a_step(rank: int, many: int, folder: str) -> None:
    """One process's share of a step; what it found goes to a file of its own."""
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=many)
    view = made_step(Mixed)["pairs"]["mixed"]
    rows = view.rows(slice(rank * len(view) // many, (rank + 1) * len(view) // many))
    found: dict[str, Tensor] = {}
    for size in (0, 2):
        told = gradients(made_learner(Mixed), {"pairs": {"mixed": rows}}, size)
        found |= {f"{size} {name}": value.contiguous() for name, value in told.items()}
    save_file(found, f"{folder}/{rank}.safetensors")
    torch.distributed.destroy_process_group()


def test_two_processes_get_the_gradient_of_the_whole(tmp_path: Path) -> None:
    """Also what stands in both processes' rows alike is no negative, and both carry all rows."""
    from safetensors.torch import load_file

    expected = gradients(made_learner(Mixed), made_step(Mixed))
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    words = [sys.executable, __file__]
    started = [subprocess.Popen([*words, str(rank), "2", str(tmp_path)], env=where) for rank in range(2)]
    assert [one.wait(timeout=240) for one in started] == [0, 0]
    for rank in range(2):
        told = load_file(tmp_path / f"{rank}.safetensors")
        for size in (0, 2):
            found = {name.removeprefix(f"{size} "): v for name, v in told.items() if name.startswith(f"{size} ")}
            assert_close(found, expected)


if __name__ == "__main__":  # a process of its own, started above
    share_of_a_step(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
