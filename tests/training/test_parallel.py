"""A training in two processes, weights whole or in parts, ends as it does in one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vlpbench.backbones import Conv2, EncoderDecoder, Linear
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import ImageSettings, Optim
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.joint_loader import JointLoader
from vlpbench.data.loader import Loader, Surgery
from vlpbench.data.shard import Shard, shard
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.image_text_matching import ImageTextMatching
from vlpbench.objectives.masked_lm import MaskedLM
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.parts import ranks
from vlpbench.training.build import Blueprint, draw
from vlpbench.training.course import Course, Training
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import train
from vlpbench.training.pace import PACE, Stopped
from vlpbench.training.parallel import chance_of, clipped, from_first, prepared
from vlpbench.training.sharing import Sharing
from vlpbench.types import Batch, Step, Vocabulary

CPU = Device("cpu")
VOCABULARY = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
STEPS = 3


class Taught(Objective):
    """Follows a slow copy of the backbone."""

    name, needs, teacher, teacher_warms_up = "taught", frozenset({"text_vector"}), 0.9, True

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"own": backbone.text_vector(batch.text), "slow": backbone.teacher.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step((features["own"] - features["slow"] + 0.1).square().sum(1))


@dataclasses.dataclass(frozen=True)
class Case:
    """One training, in any number of processes."""

    objectives: tuple[type[Objective], ...]
    stem: Any = Linear
    micro_batch: int = 0
    sharded: bool = False


CASES = {
    "norm": Case((PrefixLM, Contrastive, ImageTextMatching, MaskedLM), Conv2),
    "pieces": Case((PrefixLM, Contrastive, Taught), micro_batch=2),
    "parts": Case((PrefixLM, Contrastive, Taught), micro_batch=2, sharded=True),
    "parts of norm": Case((PrefixLM, ImageTextMatching), Conv2, sharded=True),
}


def config_of(cls: type[Objective]) -> Any:
    """Its usual settings, but groups that fit into a process's share."""
    return cls.config_class(group=2) if cls is ImageTextMatching else cls.config_class()


def made_loader(objectives: Sequence[type[Objective]], steps: int = STEPS) -> JointLoader:
    """Eight pairs and four texts a step, pictures cropped and mirrored."""
    rng, mask = np.random.default_rng(3), np.arange(6)[None] < np.random.default_rng(4).integers(2, 7, 24)[:, None]
    pairs = Examples(
        pixels=rng.integers(0, 256, (24, 32, 32, 3), dtype=np.uint8), image_rows=np.arange(24),
        image_ids=np.arange(24), tokens=np.where(mask, rng.integers(10, 60, (24, 6)), 0), mask=mask,
        caption_ids=np.arange(24), first=np.arange(24), many=np.ones(24, int),
    )
    texts = dataclasses.replace(pairs, pixels=np.zeros((0, 32, 32, 3), np.uint8))
    image, loaders = ImageSettings(size=32, crop=0.6, flip=True), []
    for kind, given, batch in (("pairs", pairs, 8), ("texts", texts, 4)):
        used = [Surgery(one.name, one.corrupt, config_of(one)) for one in objectives if kind in one.uses]
        loaders.append(Loader(given, used, VOCABULARY, image, 0, batch, steps, stream=kind))
    return JointLoader(tuple(loaders))


def made_learner(case: Case) -> Learner:
    needs = frozenset().union(*(one.needs_with(config_of(one)) for one in case.objectives))
    backbone = Blueprint(case.stem, "", EncoderDecoder, SIZES["nano"], 32, VOCABULARY, 6, seed=0).build(needs)
    terms = []
    for at, cls in enumerate(case.objectives):
        objective = cls(config_of(cls), backbone.spec)
        draw(objective, 0, prefix=f"objective/{cls.name}/")
        terms.append(Term(1.0 + at, objective))
    return Learner(backbone, terms)


def ended(name: str, course: Course | None = None) -> tuple[dict[str, Tensor], Training]:
    """What a training leaves: weights, buffers, teachers; and what it tells."""
    case = CASES[name]
    learner = made_learner(case)
    norms = [one for one in learner.modules() if isinstance(one, nn.BatchNorm2d)]
    pace = dataclasses.replace(PACE, sharded=case.sharded)
    course = course or Course(micro_batch=case.micro_batch, pace=pace)
    # a rate that moves weights far would blow rounding up to differences: AdamW divides small gradients by themselves
    told = train(learner, made_loader(case.objectives), Optim(lr=1e-4), CPU, course)
    assert norms == [one for one in learner.modules() if isinstance(one, nn.BatchNorm2d)], "the norms are back"
    assert not any(ranks.is_in_parts(weight) for weight in learner.parameters()) and learner.sharing is None
    return {key: value.detach().clone() for key, value in learner.state_dict().items()}, told


@cache
def ended_alone(name: str) -> tuple[dict[str, Tensor], Training]:
    """The same in this one process."""
    return ended(name)


def gradient(name: str) -> dict[str, Tensor]:
    """Of the first step."""
    case = CASES[name]
    learner = made_learner(case).train()
    with prepared(learner, CPU):
        (host,) = shard(made_loader(case.objectives, 1))
        joint_gradient(learner, host.to(CPU.torch), CPU, case.micro_batch)
    return {f"gradient {key}": w.grad for key, w in learner.named_parameters() if w.grad is not None}


class Once:
    """Asks one process to stop, after so many steps."""

    def __init__(self, rank: int, steps: int) -> None:
        self.left, self.mine = steps, ranks.rank() == rank

    def __call__(self) -> bool:
        self.left -= 1
        return self.mine and self.left == 0


def stopped_and_gone_on(folder: Path) -> tuple[dict[str, Tensor], Training, list[str]]:
    """The second process is asked to stop; then both go on, with weights in parts, which they were not before."""
    mine = folder / "checkpoint" if ranks.rank() == 0 else None
    course = Course(micro_batch=2, folder=mine, pace=dataclasses.replace(PACE, stop=Once(1, 2)))
    with pytest.raises(Stopped, match="after step 2 of 3"):
        ended("pieces", course)
    kept = [path.name for path in (folder / "checkpoint").iterdir()] if mine else []
    pace = dataclasses.replace(PACE, sharded=True, stop=Once(0, 1))  # and stops anew, with what is gathered from parts
    with pytest.raises(Stopped, match="after step 3 of 3"):
        ended("pieces", dataclasses.replace(course, pace=pace))
    return *ended("pieces", dataclasses.replace(course, pace=dataclasses.replace(PACE, sharded=True))), kept


REACHED = (
    ({0, 1, 2, 3}, {0, 1, 2, 3}), ({0, 1, 2, 3}, {0, 3}), ({2}, {0, 4}), ({0, 1, 2, 3, 4}, set()), (set(), set())
)
"""Weights that each of two processes reaches, step by step; number 5 none ever does."""


def sums_of_unequal_steps(rank: int) -> None:
    """Gradients that come in pieces, late, in one process alone, or never; buckets are sent early all the same."""
    weights = [torch.nn.Parameter(torch.ones(3)) for _ in range(6)]
    sharing = Sharing(weights, size=24)
    sharing.listen()
    assert [bucket.numbers for bucket in sharing.buckets] == [[5, 4], [3, 2], [1, 0]]
    for reached in REACHED:
        for weight in weights:
            weight.grad = None
        mine = sorted(reached[rank])
        for piece in range(2):
            with sharing.overlapped(piece == 1):
                if mine:
                    torch.stack([(number + 1) * (rank + 1) * weights[number].sum() for number in mine]).sum().backward()
        early = [bucket.sent is not None for bucket in sharing.buckets]
        if rank == 0 and 2 in mine:  # a gradient that comes when its bucket may be on its way
            weights[2].sum().backward()
        sharing.finish()
        assert not (reached is REACHED[0] and any(early)), "in the first step nothing is known of the others"
        assert early[1] or reached is not REACHED[1] or rank, "what was expected and has come is sent at once"
        for number, weight in enumerate(weights):
            parts = [2.0 * (number + 1) * (one + 1) for one in range(2) if number in reached[one]]
            parts += [1.0] if number == 2 and 2 in reached[0] else []
            assert (weight.grad is None) == (not parts), (number, reached)
            assert weight.grad is None or weight.grad.tolist() == [sum(parts)] * 3, (number, reached)
    sharing.close()


def one_of_two(rank: int, folder: Path) -> None:
    """What one of two processes does; what it finds goes to files of its own."""
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    for name in CASES:
        left, told = ended(name)
        found = {**left, **({} if CASES[name].sharded else gradient(name))}
        found |= {"losses": torch.tensor([row["loss"] for row in told.curve], dtype=torch.float64)}
        found |= {"norms": torch.tensor([row["gradient"] for row in told.curve], dtype=torch.float64)}
        found |= {"counts": torch.tensor([told.samples, told.targets])}
        save_file({key: value.contiguous() for key, value in found.items()}, folder / f"{name} {rank}.safetensors")
    left, told, kept = stopped_and_gone_on(folder)
    assert rank or sorted(kept) == ["checkpoint.json", "step-000002.safetensors"]
    losses = {"losses": torch.tensor([row["loss"] for row in told.curve], dtype=torch.float64)}
    save_file({key: value.contiguous() for key, value in (left | losses).items()}, folder / f"on {rank}.safetensors")
    assert ranks.all_said({"rank": rank, "é": [1.5, None]}) == [{"rank": one, "é": [1.5, None]} for one in range(2)]
    assert ranks.said_by_first([rank]) == [0] and ranks.agreed(rank == 1, False) == (True, False)
    sums_of_unequal_steps(rank)
    for kind in (torch.bool, torch.bfloat16, torch.float64, torch.int64):
        assert ranks.of_first(torch.tensor([[rank, 1]]).to(kind)).equal(torch.tensor([[0, 1]]).to(kind))
    assert ranks.of_first(torch.tensor(float(rank))) == 0 and ranks.of_first(torch.zeros(0, 3)).shape == (0, 3)
    assert chance_of("dropout") == ("dropout/1" if rank else "dropout")
    assert from_first(None) is None
    with pytest.raises(UserError, match="a batch of 7 cannot be divided among 2 processes"):
        shard(dataclasses.replace(made_loader([PrefixLM]).loaders[0], batch=7)).host(0).to(CPU.torch)
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes have left what they found."""
    path = tmp_path_factory.mktemp("two")
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, __file__]
    started = [subprocess.Popen([*words, str(rank), str(path)], env=where) for rank in range(2)]
    assert [one.wait(timeout=240) for one in started] == [0, 0]
    return path


@pytest.mark.parametrize("name", CASES)
def test_two_processes_end_as_one(folder: Path, name: str) -> None:
    from safetensors.torch import load_file

    alone, told = ended_alone(name)
    expected = {**alone, **({} if CASES[name].sharded else gradient(name))}
    expected |= {"losses": torch.tensor([row["loss"] for row in told.curve], dtype=torch.float64)}
    expected |= {"norms": torch.tensor([row["gradient"] for row in told.curve], dtype=torch.float64)}
    expected |= {"counts": torch.tensor([told.samples, told.targets])}
    for rank in range(2):
        found = load_file(folder / f"{name} {rank}.safetensors")
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            limit = 1e-6 if key.startswith("gradient ") else 5e-5  # AdamW magnifies what rounding is left
            torch.testing.assert_close(
                found[key], value, rtol=1e-4, atol=limit, msg=lambda said, key=key: f"{key}: {said}"
            )


def test_all_stop_where_one_is_asked_and_go_on_as_one_would(folder: Path) -> None:
    from safetensors.torch import load_file

    alone, told = ended_alone("pieces")
    for rank in range(2):
        found = load_file(folder / f"on {rank}.safetensors")
        assert found.pop("losses").tolist() == pytest.approx([row["loss"] for row in told.curve], rel=1e-5)
        assert found.keys() == alone.keys()
        for key, value in alone.items():
            torch.testing.assert_close(found[key], value, rtol=1e-4, atol=5e-5)


def test_shares_are_neighbouring_rows_of_the_whole() -> None:
    whole = made_loader([PrefixLM])
    steps = zip(whole, Shard(whole, 0, 2), Shard(whole, 1, 2), strict=True)
    for host, *shares in steps:
        expected, (first, second) = host.to(CPU.torch), (one.to(CPU.torch) for one in shares)
        for kind in ("pairs", "texts"):
            views = [one[kind]["prefix-lm"] for one in (first, second)]
            view = expected[kind]["prefix-lm"]
            for field in ("tokens", "mask", "image_ids", "caption_ids"):
                assert torch.cat([getattr(one, field) for one in views]).equal(getattr(view, field))
            for name in view.extras:
                assert torch.cat([one.extras[name] for one in views]).equal(view.extras[name])
            if kind == "pairs":
                torch.testing.assert_close(torch.cat([one.images for one in views]), view.images)
        assert [len(one.whole.batches[0].pixels) for one in shares] == [4, 4], "each reads its own pictures alone"
        assert {one.samples for one in shares} == {host.samples} and {one.targets for one in shares} == {host.targets}
    assert Shard(whole, 0, 2).steps == whole.steps and Shard(whole, 1, 2).seed == whole.seed


def test_resident_pictures_are_shared_out_too() -> None:
    whole = dataclasses.replace(made_loader([PrefixLM]).loaders[0], device=CPU, resident="always")
    host = next(iter(whole.from_step(1)))
    assert host.shown is not None
    expected = host.to(CPU.torch)["pairs"]["prefix-lm"].images
    parts = [Shard(whole, rank, 4).share(host).to(CPU.torch)["pairs"]["prefix-lm"].images for rank in range(4)]
    torch.testing.assert_close(torch.cat(parts), expected)


def test_one_process_shares_nothing() -> None:
    whole = made_loader([PrefixLM])
    assert shard(whole) is whole and chance_of("dropout") == "dropout" and from_first(None) is None
    learner = made_learner(CASES["norm"])
    with prepared(learner, CPU, sharded=True):
        assert learner.sharing is None and any(type(one) is nn.BatchNorm2d for one in learner.modules())


def test_clipping_in_one_process_is_torchs() -> None:
    learner = made_learner(Case((PrefixLM,)))
    for number, weight in enumerate(learner.parameters()):
        weight.grad = torch.full_like(weight, 0.01 * (number % 3))
    before = [weight.grad.clone() for weight in learner.parameters() if weight.grad is not None]
    norm = clipped(learner, 0.5)
    assert float(norm) == pytest.approx(float(torch.cat([one.flatten() for one in before]).double().norm()), rel=1e-4)
    after = torch.cat([w.grad.flatten() for w in learner.parameters() if w.grad is not None]).double().norm()
    assert float(after) == pytest.approx(0.5, rel=1e-4)


if __name__ == "__main__":  # a process of its own, started above
    one_of_two(int(sys.argv[1]), Path(sys.argv[2]))
