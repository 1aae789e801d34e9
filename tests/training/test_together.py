"""Trainings as one end as each would alone: what they tell, what fails, where they stop and go on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vlpbench.backbones import DualEncoder, Linear
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import ImageSettings, Optim
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.loader import Loader, Surgery
from vlpbench.device import Device
from vlpbench.training.build import Blueprint
from vlpbench.training.course import Course, Training
from vlpbench.training.going import Lesson, NonFiniteLoss
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import train_lesson
from vlpbench.training.pace import Pace, Stopped
from vlpbench.training.together import train_together
from vlpbench.types import Batch, Step, Vocabulary

CPU, STEPS, OPTIM = Device("cpu"), 6, Optim(lr=1e-3)
VOCABULARY = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))


class Near(Objective):
    """Pulls a text to its picture; what is not finite from some step on is told by a buffer of its own."""

    name, needs = "near", frozenset({"image_vector", "text_vector"})

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.register_buffer("worse", torch.zeros(()))
        self.register_buffer("ruin", torch.zeros(()))

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"cosine": (backbone.image_vector(batch.image) * backbone.text_vector(batch.text)).sum(1)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        cosine = features["cosine"]
        return Step(1 - cosine + self.worse, {"near": cosine.mean()}, {"one": cosine})

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        self.worse += self.ruin


def lesson(examples: Examples, seed: int, folder: Path | None = None, ruin: float = 0.0, **course: Any) -> Lesson:
    plan = Blueprint(Linear, "", DualEncoder, SIZES["nano"], 32, VOCABULARY, 6, seed)
    backbone = plan.build(Near.needs)
    objective = Near(Near.config_class(), backbone.spec)
    objective.ruin.fill_(ruin)  # type: ignore[operator]
    surgery = Surgery("near", Near.corrupt, Near.config_class())
    loader = Loader(examples, [surgery], VOCABULARY, ImageSettings(size=32), seed, 4, STEPS)
    place = None if folder is None else folder / f"{seed}"
    return Lesson(Learner(backbone, [Term(1.0, objective)]), loader, OPTIM, Course(folder=place, **course))


def told(ends: list[Training | Exception]) -> list[Training]:
    assert all(isinstance(end, Training) for end in ends), ends
    return ends  # type: ignore[return-value]


def assert_alike(one: Lesson, other: Lesson) -> None:
    mine, its = one.learner.state_dict(), other.learner.state_dict()
    assert mine.keys() == its.keys()
    for name, value in its.items():
        torch.testing.assert_close(mine[name], value, rtol=1e-4, atol=2e-4, msg=lambda said, name=name: name + said)


def test_each_tells_what_it_tells_alone(examples: Examples) -> None:
    heard: list[tuple[int, int]] = []
    together = [lesson(examples, seed, heard=lambda done, of, row: heard.append((done, of))) for seed in range(3)]
    alone = [lesson(examples, seed) for seed in range(3)]
    ends = told(train_together(together, CPU))
    for one, other, end in zip(together, alone, ends, strict=True):
        expected = train_lesson(other, CPU)
        assert (end.samples, end.targets, end.flops) == (expected.samples, expected.targets, expected.flops)
        assert [row["step"] for row in end.curve] == [row["step"] for row in expected.curve]
        for row, its in zip(end.curve, expected.curve, strict=True):
            assert row == pytest.approx(its, rel=1e-3, abs=1e-5)
        assert_alike(one, other)
        assert not one.learner.training
    assert heard == [(step, STEPS) for step in range(1, STEPS + 1) for _ in range(3)]


def test_learners_afterwards_share_no_memory(examples: Examples) -> None:
    together = [lesson(examples, seed) for seed in range(2)]
    train_together(together, CPU)
    first, second = (one.learner.backbone.state_dict() for one in together)
    assert all(value.untyped_storage().nbytes() == value.nbytes for value in first.values())
    assert not {value.data_ptr() for value in first.values()} & {value.data_ptr() for value in second.values()}


def test_one_that_fails_leaves_the_others_as_they_would_be(examples: Examples) -> None:
    together = [lesson(examples, 0), lesson(examples, 1, ruin=float("nan")), lesson(examples, 2)]
    ends = train_together(together, CPU)
    assert isinstance(ends[1], NonFiniteLoss) and ends[1].step == 1
    for seed in (0, 2):
        alone = lesson(examples, seed)
        train_lesson(alone, CPU)
        assert_alike(together[seed], alone)


def test_all_may_fail(examples: Examples) -> None:
    ends = train_together([lesson(examples, seed, ruin=float("inf")) for seed in range(2)], CPU)
    assert [type(end) for end in ends] == [NonFiniteLoss, NonFiniteLoss]


class Once:
    """Asks to stop after so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_stopped_and_taken_up_again(examples: Examples, tmp_path: Path) -> None:
    """After the third step each seed keeps a checkpoint, then all go on as if nothing had been."""
    stop = Once(3 * 2)
    cut = [lesson(examples, seed, tmp_path, pace=Pace(stop=stop)) for seed in range(3)]
    with pytest.raises(Stopped):
        train_together(cut, CPU)
    assert len(list(tmp_path.glob("*/step-000003.safetensors"))) == 3
    again, whole = ([lesson(examples, seed, place) for seed in range(3)] for place in (tmp_path, None))
    ends = told(train_together(again, CPU))
    expected = told(train_together(whole, CPU))
    for one, other, end, its in zip(again, whole, ends, expected, strict=True):
        assert_alike(one, other)
        assert end.samples == its.samples and len(end.curve) == len(its.curve)


def test_checkpoints_of_several_are_those_of_one_and_the_other_way_round(examples: Examples, tmp_path: Path) -> None:
    """Seed 0 was cut off alone, seeds 1 and 2 together and elsewhere: groups that stand at one step go on as one."""
    with pytest.raises(Stopped):
        train_lesson(lesson(examples, 0, tmp_path, pace=Pace(stop=Once(1))), CPU)
    with pytest.raises(Stopped):
        train_together([lesson(examples, seed, tmp_path, pace=Pace(stop=Once(3))) for seed in (1, 2)], CPU)
    steps = {path.parent.name: path.stem for path in tmp_path.glob("*/step-*.safetensors")}
    assert steps == {"0": "step-000002", "1": "step-000004", "2": "step-000004"}
    go_on = [lesson(examples, 0, tmp_path), lesson(examples, 1, tmp_path)]
    told(train_together(go_on, CPU))
    go_on.append(lesson(examples, 2, tmp_path))
    train_lesson(go_on[2], CPU)
    for seed, one in enumerate(go_on):
        alone = lesson(examples, seed)
        train_lesson(alone, CPU)
        assert_alike(one, alone)


def test_watches_look_at_their_own_learner(examples: Examples) -> None:
    seen: dict[int, list[float]] = {0: [], 1: []}
    together = [lesson(examples, seed) for seed in range(2)]

    def watch(seed: int) -> Any:
        def look(done: int) -> dict[str, float]:
            weights = together[seed].learner.parameters()
            seen[seed].append(sum(float(weight.detach().sum()) for weight in weights))
            return {"sum": seen[seed][-1]}
        return look

    watched = [
        Lesson(one.learner, one.loader, one.optim, Course(watch=watch(seed))) for seed, one in enumerate(together)
    ]
    ends = told(train_together(watched, CPU))
    assert all(len(set(values)) == STEPS for values in seen.values()) and seen[0] != seen[1]
    assert [row["sum"] for row in ends[1].curve if "sum" in row] == seen[1]


def test_dropout_is_that_of_each_alone(examples: Examples) -> None:
    def with_dropout(seed: int) -> Lesson:
        one = lesson(examples, seed)
        for block in one.learner.backbone.modules():
            if type(block).__name__ == "Mlp":
                block.append(torch.nn.Dropout(0.5))  # type: ignore[operator]
        return one

    together, alone = ([with_dropout(seed) for seed in range(2)] for _ in range(2))
    undropped = lesson(examples, 0)
    told(train_together(together, CPU))
    for one in (*alone, undropped):
        train_lesson(one, CPU)
    for one, other in zip(together, alone, strict=True):
        assert_alike(one, other)
    with pytest.raises(AssertionError):
        assert_alike(alone[0], undropped)


def test_a_deep_copy_of_lessons_is_not_needed(examples: Examples) -> None:
    """Training alone after training together starts from what each has become, not from the common tensors."""
    together = [lesson(examples, seed) for seed in range(2)]
    train_together(together, CPU)
    again = copy.deepcopy(together[0].learner)
    train_lesson(Lesson(again, together[0].loader, OPTIM), CPU)
    train_lesson(Lesson(together[0].learner, together[0].loader, OPTIM), CPU)
    mine, its = again.state_dict(), together[0].learner.state_dict()
    assert all(torch.equal(mine[name], its[name]) for name in its)
