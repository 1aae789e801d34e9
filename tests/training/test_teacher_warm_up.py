"""A teacher that warms up follows faster at first: against a slow average, and over any number of interruptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vlpbench.config.settings import Optim
from vlpbench.device import Device
from vlpbench.plugin import Backbone, Batch, Objective, Step
from vlpbench.training.course import Course
from vlpbench.training.learner import Learner
from vlpbench.training.loop import train
from vlpbench.training.pace import Pace, Stopped

CPU, OPTIM = Device("cpu"), Optim(lr=3e-3, warmup=0.2)
Made = Callable[..., Any]


class Calm(Objective):
    """The pictures' vectors should be those of a teacher that is as calm at once as it will ever be."""

    name, needs, teacher = "calm", frozenset({"image_vector", "text_vector"}), 0.9

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        text = backbone.teacher.text_vector(batch.text)
        return {"mine": (backbone.image_vector(batch.image) * text).sum(1)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(1 - features["mine"])


class Eager(Calm):
    """The same, of a teacher that warms up."""

    name, teacher_warms_up = "eager", True


class Early(Eager):
    """Its decay is reached after a few steps."""

    name, teacher = "early", 0.3


def weights_of(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.named_parameters()}


def moved(whole: Learner, steps: int) -> list[dict[str, Tensor]]:
    """The backbone's weights after each of some steps by chance, each followed by the teachers."""
    generator, seen = torch.Generator().manual_seed(5), []
    for _ in range(steps):
        with torch.no_grad():
            for weight in whole.backbone.parameters():
                weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
        whole.follow()
        seen.append(weights_of(whole.backbone))
    return seen


Weights = Mapping[str, Tensor]


def slow(start: Weights, seen: list[dict[str, Tensor]], decay: Callable[[int], float]) -> dict[str, Tensor]:
    """The moving average from its definition, in double precision; n = 1 at the end of the first step."""
    average = {name: value.double() for name, value in start.items()}
    for n, weights in enumerate(seen, 1):
        d = decay(n)
        average = {name: d * value + (1 - d) * weights[name].double() for name, value in average.items()}
    return average


@pytest.mark.parametrize(
    ("cls", "key", "decay"),
    [
        (Calm, "0_9", lambda n: 0.9),
        (Eager, "0_9_warm", lambda n: min(0.9, (1 + n) / (10 + n))),
        (Early, "0_3_warm", lambda n: min(0.3, (1 + n) / (10 + n))),
    ],
)
@pytest.mark.parametrize("steps", [1, 7])
def test_it_is_the_average_by_definition(
    learner: Made, cls: type[Objective], key: str, decay: Callable[[int], float], steps: int
) -> None:
    whole = learner([cls])
    start = weights_of(whole.backbone)
    expected = slow(start, moved(whole, steps), decay)
    found = weights_of(whole.teachers[key])
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name].double(), value, rtol=1e-5, atol=1e-6)


def test_after_its_first_step_it_is_nine_elevenths_of_the_way(learner: Made) -> None:
    """OTTER's official code raises its count before it asks for the decay."""
    whole = learner([Eager])
    before = weights_of(whole.backbone)
    (after,) = moved(whole, 1)
    for name, found in whole.teachers["0_9_warm"].named_parameters():
        torch.testing.assert_close(found, before[name] + (after[name] - before[name]) * 9 / 11)


def test_two_of_one_decay_are_two_teachers(learner: Made) -> None:
    whole = learner([Calm, Eager])
    assert set(whole.teachers) == {"0_9", "0_9_warm"}
    moved(whole, 3)
    image = whole.backbone.see(torch.randn(2, 3, 32, 32))
    said = []
    for name in ("calm", "eager"):
        whole.objective(name)
        said.append(whole.eval().backbone.teacher.image_vector(image))
    assert (said[0] - said[1]).abs().max() > 1e-3
    assert not any(weight.requires_grad for weight in whole.teachers.parameters())


def test_without_one_nothing_is_counted(learner: Made) -> None:
    """What a cell without it keeps is what it kept."""
    names = {name for name, _ in learner([Calm]).named_buffers()}
    assert "followed" not in names and "followed" in dict(learner([Eager]).named_buffers())
    assert "followed" not in learner([Calm]).state_dict()


def bits(whole: Learner) -> dict[str, bytes]:
    return {name: value.detach().contiguous().numpy().tobytes() for name, value in whole.state_dict().items()}


class After:
    """Says stop after so many steps of this run."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


@pytest.mark.parametrize("micro_batch", [0, 2])
def test_interrupted_it_ends_in_the_bytes_of_a_straight_run(
    learner: Made, loader: Made, tmp_path: Path, micro_batch: int
) -> None:
    """Stopped after the second step, and after every step: how far it has warmed up is in the checkpoint."""
    both, steps = [Eager, Calm], 5

    def run(folder: str = "", stop: int = 0) -> Learner:
        whole = learner(both)
        course = Course(micro_batch=micro_batch)
        if folder:
            course = Course(micro_batch=micro_batch, folder=tmp_path / folder, pace=Pace(stop=After(stop)))
        train(whole, loader(both, steps, batch=4), OPTIM, CPU, course)
        return whole

    straight = run()
    assert float(straight.followed) == steps
    with pytest.raises(Stopped):
        run("once", 2)
    assert bits(run("once")) == bits(straight)
    for _ in range(steps):
        with pytest.raises(Stopped):
            run("often", 1)
    assert bits(run("often")) == bits(straight)


def test_a_teacher_learns_otherwise_where_it_warms_up(learner: Made, loader: Made) -> None:
    found = []
    for cls in (Calm, Eager):
        whole = learner([cls])
        train(whole, loader([cls], 4, batch=4), OPTIM, CPU)
        (teacher,) = whole.teachers.values()
        there = weights_of(whole.backbone)
        found.append(sum(float((value - there[name]).square().sum()) for name, value in weights_of(teacher).items()))
    assert found[1] < 0.5 * found[0]
