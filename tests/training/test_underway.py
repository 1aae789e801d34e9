"""Cut off anywhere and taken up again, a training ends in the bytes of one that nobody disturbed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vlpbench.config.settings import Optim
from vlpbench.data.examples import Examples
from vlpbench.data.joint_loader import Batches, Crossing, JointLoader
from vlpbench.data.loader import Loader
from vlpbench.device import Device
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.plugin import Backbone, Batch, Objective, Spec, Step
from vlpbench.training.build import Blueprint, draw
from vlpbench.training.course import Course, Training
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import train
from vlpbench.training.pace import Pace, Stopped
from vlpbench.training.underway import Underway

CPU = Device("cpu")
OPTIM = Optim(lr=3e-3, warmup=0.3)
Made = Callable[..., Any]


class Queue(Objective):
    """MoCo (arXiv 1911.05722) with all that a checkpoint could forget.

    A queue, a teacher, dropout, a buffer that is not saved with the weights, and one that grows.
    """

    name, teacher = "queue", 0.9
    needs, trains = frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(spec.joint_width, spec.joint_width))
        self.register_buffer("rows", torch.randn(16, spec.joint_width))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))
        self.register_buffer("scale", torch.ones(()), persistent=False)
        self.register_buffer("grown", torch.zeros(0), persistent=False)

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        calm = backbone.teacher.text_vector(batch.text)
        return {"image": self.head(backbone.image_vector(batch.image)), "calm": calm}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        image, calm = features["image"], features["calm"]
        own = (image * calm).sum(1, keepdim=True)
        logits = torch.cat([own, image @ self.rows.clone().T], 1) * (self.scale + self.grown.mean().nan_to_num())
        return Step(-logits.log_softmax(1)[:, 0], {"own": own.detach().mean()}, {"calm": calm})

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        at = (self.place + torch.arange(len(carry["calm"]))) % len(self.rows)
        self.rows[at] = carry["calm"]
        self.place.copy_((self.place + len(carry["calm"])) % len(self.rows))
        self.scale.mul_(1.05)
        self.grown = torch.cat([self.grown, carry["calm"].mean()[None]])[-3:]


class Flickering(Objective):
    """A parameter that has a gradient, and so a state in the optimiser, at some of the steps alone."""

    name = "flickering"

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.always, self.late = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2, 2))
        self.frozen = nn.Parameter(torch.ones(4), requires_grad=False)

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        felt = self.always.sum() + (self.late.square().sum() if float(batch.progress) > 0.4 else 0)
        return {"y": felt * self.frozen.sum() * torch.ones(len(batch))}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["y"].square())


@dataclasses.dataclass
class Case:
    """One training, made anew as often as is asked."""

    learner: Callable[[], Learner]
    loader: Batches
    micro_batch: int = 0

    def run(self, **course: Any) -> tuple[Learner, Training]:
        whole = self.learner()
        return whole, train(whole, self.loader, OPTIM, CPU, Course(micro_batch=self.micro_batch, **course))


@pytest.fixture
def case(learner: Made, loader: Made, towers: Blueprint, examples: Examples) -> Callable[[str, int], Case]:
    """(name, steps) -> a training."""

    def built(objectives: Sequence[type[Objective]], blueprint: Blueprint = towers) -> Learner:
        torch.manual_seed(3)  # a queue's rows are drawn in its constructor
        backbone = blueprint.build(frozenset().union(*(one.needs_with(one.config_class()) for one in objectives)))
        backbone = backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        terms = [Term(1.0, one(one.config_class(), backbone.spec)) for one in objectives]
        for term in terms:
            draw(term.objective, 0, prefix=f"objective/{term.objective.name}/")
        return Learner(backbone, terms)

    def make(name: str, steps: int = 5) -> Case:
        if name == "words":
            return Case(lambda: learner([PrefixLM]), loader([PrefixLM], steps, batch=4))
        if name == "sum in pieces":
            both = [PrefixLM, Contrastive]
            return Case(lambda: learner(both, [0.5, 2.0]), loader(both, steps), micro_batch=4)
        if name == "queue, teacher, dropout":
            both = [Queue, Contrastive]
            return Case(lambda: built(both), loader(both, steps, batch=4))
        if name == "some steps alone":
            return Case(lambda: built([Flickering]), loader([Flickering], steps, batch=4))
        if name == "too large":
            return Case(lambda: learner([Hungry]), loader([Hungry], steps, batch=4))
        assert name == "pairs and texts"
        both = [PrefixLM, LanguageModel]
        pairs = dataclasses.replace(loader(both, steps, batch=4), workers=1)
        alone = dataclasses.replace(examples, pixels=np.zeros((0, 32, 32, 3), np.uint8))
        texts = dataclasses.replace(loader(both, steps, batch=2), examples=alone, stream="pretrain/texts")
        return Case(lambda: learner(both), JointLoader((pairs, texts)))

    return make


CASES = ["words", "sum in pieces", "queue, teacher, dropout", "some steps alone", "pairs and texts"]


def bits(whole: Learner) -> dict[str, tuple[Any, ...]]:
    """Every parameter and buffer: type, shape, layout in memory and bytes."""
    tensors = {**dict(whole.named_parameters()), **dict(whole.named_buffers())}
    return {
        name: (x.dtype, tuple(x.shape), x.stride(), x.detach().contiguous().numpy().tobytes())
        for name, x in tensors.items()
    }


class Hungry(Flickering):
    """So many samples at once do not fit into memory."""

    name = "hungry"
    fit: ClassVar[int] = 2

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        if len(batch) > self.fit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().encode(backbone, batch)


class Once:
    """Says stop after so many steps of this run."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


@pytest.mark.parametrize("name", CASES)
def test_stopped_after_any_step_it_ends_in_the_same_bytes(case: Made, tmp_path: Path, name: str) -> None:
    one = case(name)
    whole, told = one.run()
    for stop in range(1, one.loader.steps + 1):
        folder = tmp_path / str(stop)
        with pytest.raises(Stopped, match=f"after step {stop} of 5"):
            one.run(folder=folder, pace=Pace(stop=Once(stop)))
        again, retold = one.run(folder=folder)
        assert bits(again) == bits(whole), stop
        assert retold == told and retold.micro_batch == told.micro_batch == one.micro_batch
        assert not again.training


@pytest.mark.parametrize("name", CASES)
def test_stopped_after_every_step_it_ends_in_the_same_bytes(case: Made, tmp_path: Path, name: str) -> None:
    """Also the optimiser: the checkpoint after the last step is compared with that of a run stopped there alone."""
    one = case(name)
    whole, told = one.run()
    for _ in range(one.loader.steps):
        with pytest.raises(Stopped):
            one.run(folder=tmp_path / "often", pace=Pace(stop=Once(1)))
    with pytest.raises(Stopped):
        one.run(folder=tmp_path / "once", pace=Pace(stop=Once(one.loader.steps)))
    last = f"step-{one.loader.steps:06d}.safetensors"
    assert (tmp_path / "often" / last).read_bytes() == (tmp_path / "once" / last).read_bytes()
    again, retold = one.run(folder=tmp_path / "often")
    assert bits(again) == bits(whole) and retold == told


class Cut(BaseException):
    """The process was killed."""


@dataclasses.dataclass(frozen=True)
class Fragile:
    """A loader that kills the process before some steps."""

    loader: Loader
    kills: set[int]

    @property
    def steps(self) -> int:
        return self.loader.steps

    @property
    def seed(self) -> int:
        return self.loader.seed

    def __iter__(self) -> Iterator[Crossing]:
        return self.from_step(0)

    def from_step(self, first: int) -> Iterator[Crossing]:
        for step, host in enumerate(self.loader.from_step(first), first):
            if step in self.kills:
                self.kills.remove(step)
                raise Cut
            yield host


@pytest.mark.parametrize("every", [1e-9, 0.03])
def test_killed_at_random_it_ends_in_the_same_bytes(case: Made, tmp_path: Path, every: float) -> None:
    """More steps than points of a curve, so that losses wait for their point when it is cut off."""
    one = case("some steps alone", steps=230)
    whole, told = one.run()
    assert len(told.curve) == 115
    rng = np.random.default_rng(2)
    fragile = Fragile(one.loader, set(rng.choice(230, 20, replace=False).tolist()))
    cuts = 0
    while True:
        try:
            again, retold = dataclasses.replace(one, loader=fragile).run(folder=tmp_path, pace=Pace(every=every))
            break
        except Cut:
            cuts += 1
    assert cuts == 20
    assert bits(again) == bits(whole) and retold == told


def test_losses_that_wait_for_their_point_are_kept(case: Made, tmp_path: Path) -> None:
    one = case("some steps alone", steps=450)
    _, told = one.run()
    for stop in (1, 2, 3, 4, 117):  # a point every four steps
        with pytest.raises(Stopped):
            one.run(folder=tmp_path, pace=Pace(stop=Once(stop)))
    assert one.run(folder=tmp_path)[1].curve == told.curve


def test_a_micro_batch_that_was_found_is_kept(case: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = case("too large")
    whole, told = one.run()
    assert told.micro_batch == 2 and "micro_batch" not in told.result()
    with pytest.raises(Stopped):
        one.run(folder=tmp_path, pace=Pace(stop=Once(2)))
    monkeypatch.setattr(Hungry, "fit", 4)
    again, retold = one.run(folder=tmp_path)
    assert retold.micro_batch == 2 and bits(again) == bits(whole) and retold == told


def test_where_it_stands_is_told_at_once(case: Made, tmp_path: Path) -> None:
    one = case("some steps alone", steps=450)
    heard: list[tuple[int, int, float | None]] = []

    def run(stop: int) -> None:
        with pytest.raises(Stopped):
            one.run(
                folder=tmp_path, pace=Pace(stop=Once(stop)), watch=lambda done: {"seen": 1.0},
                heard=lambda done, of, figures: heard.append((done, of, figures.get("step"))),
            )

    run(2)
    run(3)
    run(4)
    assert heard == [(2, 450, None), (4, 450, 3), (5, 450, 3), (8, 450, 7)]


def test_one_that_is_over_takes_no_step(case: Made, tmp_path: Path) -> None:
    one = case("words")
    with pytest.raises(Stopped):
        one.run(folder=tmp_path, pace=Pace(stop=Once(5)))
    asked: list[int] = []
    whole, told = one.run(folder=tmp_path, watch=asked.append)
    assert asked == [] and told.samples == 20 and not whole.training


class Longest:
    """Remembers the weights of the step with the highest number it was shown that divides by three, and how many."""

    def __init__(self, whole: Learner) -> None:
        self.whole, self.kept, self.many = whole, dict[str, Tensor](), 0

    def __call__(self, done: int) -> dict[str, float]:
        self.many += 1
        if done % 3 == 0:
            self.kept = {name: value.clone() for name, value in self.whole.state_dict().items()}
        return {"many": float(self.many)}

    def state(self) -> tuple[Mapping[str, Tensor], Mapping[str, Any]]:
        return self.kept, {"many": self.many}

    def restore(self, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
        self.kept, self.many = dict(tensors), plain["many"]


def test_a_watch_remembers(case: Made, tmp_path: Path) -> None:
    one = case("words")

    def run(**course: Any) -> tuple[Longest, Training]:
        whole = one.learner()
        watch = Longest(whole)
        return watch, train(whole, one.loader, OPTIM, CPU, Course(watch=watch, **course))

    watch, told = run()
    for stop in (1, 1, 2):
        with pytest.raises(Stopped):
            run(folder=tmp_path, pace=Pace(stop=Once(stop)))
    again, retold = run(folder=tmp_path)
    assert retold == told and [row["many"] for row in told.curve if "many" in row] == [1, 2, 3, 4, 5]
    assert again.many == 5 and again.kept.keys() == watch.kept.keys()
    assert all(torch.equal(value, again.kept[name]) for name, value in watch.kept.items())


@pytest.mark.parametrize("change", ["optim", "steps", "seed", "shape", "mark", "watch", "weights"])
def test_a_checkpoint_of_another_training_starts_at_the_beginning(
    case: Made, learner: Made, loader: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    one = case("words")
    with pytest.raises(Stopped):
        one.run(folder=tmp_path, pace=Pace(stop=Once(3)))
    capsys.readouterr()
    objectives = [PrefixLM, Contrastive] if change == "shape" else [PrefixLM]
    whole = learner(objectives, [2.0] if change == "weights" else [])
    batches = loader(objectives, 6 if change == "steps" else 5, 1 if change == "seed" else 0, batch=4)
    optim = dataclasses.replace(OPTIM, beta2=0.97) if change == "optim" else OPTIM
    course = Course(folder=tmp_path, mark="other" if change == "mark" else "",
                    watch=Longest(whole) if change == "watch" else None)
    told = train(whole, batches, optim, CPU, course)
    assert told.samples == 4 * batches.steps and len(told.curve) >= batches.steps
    assert [row["step"] for row in told.curve if "lr" in row] == list(range(batches.steps))
    assert capsys.readouterr().err.count("it is of another training") == 1


def test_a_damaged_checkpoint_starts_at_the_beginning_and_ends_the_same(case: Made, tmp_path: Path) -> None:
    one = case("words")
    whole, told = one.run()
    with pytest.raises(Stopped):
        one.run(folder=tmp_path, pace=Pace(stop=Once(3)))
    path = tmp_path / "step-000003.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    heard: list[int] = []
    again, retold = one.run(folder=tmp_path, heard=lambda done, *_: heard.append(done))
    assert heard == [1, 2, 3, 4, 5] and bits(again) == bits(whole) and retold == told


def test_the_optimisers_state_lies_in_memory_as_its_weights_do(case: Made) -> None:
    one = case("queue, teacher, dropout")
    first = Underway(one.learner(), OPTIM)
    views = one.loader.host(0).to(CPU.torch)
    loss = sum(view.images.sum() for view in views["pairs"].values())
    for weight in first.learner.parameters():
        if weight.requires_grad:
            weight.grad = torch.rand_like(weight) * loss
    first.optimizer.step()
    second = Underway(one.learner(), OPTIM)
    kept = first.snapshot()
    second.go_on(dataclasses.replace(kept, tensors={name: x.contiguous() for name, x in kept.tensors.items()}))
    odd = 0
    for weight, same in zip(first.learner.parameters(), second.learner.parameters(), strict=True):
        mine, other = first.optimizer.state.get(weight, {}), second.optimizer.state.get(same, {})
        assert mine.keys() == other.keys() and bool(mine) is weight.requires_grad
        for key, value in mine.items():
            found = other[key]
            assert (value.stride(), value.dtype, value.device) == (found.stride(), found.dtype, found.device)
            assert torch.equal(value, found) and not found.requires_grad
            odd += not value.is_contiguous()
    assert odd > 0, "some weights of the stem lie channels last"
