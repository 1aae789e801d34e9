"""Where memory runs out, a step goes through in smaller pieces, and what is learnt stays the same."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vlpbench.backbones import Conv2, EncoderDecoder, Linear
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import Optim
from vlpbench.contract.objective import Objective
from vlpbench.data.loader import Loader
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.streams import seed_of
from vlpbench.training.build import Blueprint
from vlpbench.training.fitting import Fitting, OutOfMemory, asked_with_less, guarded_step
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import Training, train
from vlpbench.training.pace import Pace
from vlpbench.types import Batch, Step, Vocabulary

CPU = Device("cpu")
VOCABULARY = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
Made = Callable[..., Any]


class Pairwise(Objective):
    """Neighbours of a group of two see each other in `encode`."""

    name, needs, coupled = "pairwise", frozenset({"image_vector", "text_vector"}), 2

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        image, text = backbone.image_vector(batch.image), backbone.text_vector(batch.text)
        return {"right": (image * text.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)).sum(1)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(1 + features["right"])


class Noisy(Objective):
    """Drops out parts of a vector."""

    name, needs = "noisy", frozenset({"text_vector"})

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.drop = nn.Dropout(0.5)

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"vector": self.drop(backbone.text_vector(batch.text))}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["vector"][:, 0])


class Counting(Objective):
    """Counts the samples that it has encoded from call `start` on, which an objective should leave to `after_step`."""

    name, needs, uses = "counting", frozenset({"text_vector"}), frozenset({"pairs"})
    start, anew = 0, False

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.register_buffer("seen", torch.zeros(()))
        self.calls = 0

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        if self.calls >= self.start and self.anew:
            self.seen = self.seen + len(batch)
        elif self.calls >= self.start:
            self.seen += len(batch)
        self.calls += 1
        return {"vector": backbone.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["vector"][:, 0])


class Pooling(Objective):
    """Its formula alone needs memory: for all pairs of samples."""

    name, needs, coupled = "pooling", frozenset({"text_vector"}), "all"
    rows = 100

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"vector": backbone.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        if len(batch) > self.rows:
            raise torch.OutOfMemoryError
        return Step((features["vector"] @ features["vector"].T).sum(1))


class Wide(Objective):
    """Needs 16 MiB a sample, several times over."""

    name, needs = "wide", frozenset({"text_vector"})

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        vector = backbone.text_vector(batch.text)
        return {"wide": torch.tanh(vector[:, :1] * torch.linspace(0, 1, 2**22)).square().mean(1)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["wide"])


class Small:
    """Memory for so many samples at once: with more of them, the text encoder raises the error."""

    def __init__(self, learner: Learner, rows: int, error: Callable[[], Exception] = torch.OutOfMemoryError) -> None:
        self.rows, self.error, self.seen = rows, error, list[int]()
        learner.backbone.encoder[-1].register_forward_hook(self)

    def __call__(self, module: nn.Module, given: tuple[Any, ...], made: Any) -> None:
        self.seen.append(len(given[0]))
        if len(given[0]) > self.rows:
            raise self.error()


class Spoilt:
    """The same, but it runs out in the middle of `backward`, when some gradients are there already."""

    def __init__(self, learner: Learner, rows: int) -> None:
        self.rows = rows
        learner.backbone.encoder[-1].register_forward_hook(self)

    def __call__(self, module: nn.Module, given: tuple[Any, ...], made: Tensor) -> None:
        if len(given[0]) > self.rows and made.requires_grad:
            made.register_hook(self.refuse)

    def refuse(self, gradient: Tensor) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")


def texts_of(loader: Loader, batch: int) -> Loader:
    alone = dataclasses.replace(loader.examples, pixels=np.zeros((0, 32, 32, 3), np.uint8))
    return dataclasses.replace(loader, examples=alone, stream="pretrain/texts", batch=batch)


def views_of(loader: Made, objectives: Any, batch: int = 8, texts: int = 0, step: int = 0) -> Any:
    """A step's batches; `texts` are seen by those that use any."""
    found = dict(loader(objectives, batch=batch).host(step).to(torch.device("cpu")))
    if texts:
        alone = [one for one in objectives if "texts" in one.uses]
        found |= texts_of(loader(alone), texts).host(step).to(torch.device("cpu"))
    return found


def gradients(learner: Learner, take: Callable[[], Any]) -> tuple[Tensor, dict[str, Tensor]]:
    learner.zero_grad(set_to_none=True)
    torch.manual_seed(5)
    loss = take()[0]
    return loss, {name: w.grad.clone() for name, w in learner.named_parameters() if w.grad is not None}


def assert_close(ours: Mapping[str, Tensor], whole: Mapping[str, Tensor]) -> None:
    assert ours.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-5, atol=1e-6, msg=lambda said, name=name: name + said)


EVERY = {
    "sample-wise": ((PrefixLM,), 0),
    "pairs and texts": ((PrefixLM, LanguageModel), 5),
    "groups": ((Pairwise,), 0),
    "all": ((Contrastive,), 0),
    "several": ((PrefixLM, Contrastive, LanguageModel, Pairwise), 3),
}


@pytest.fixture
def norms() -> Learner:
    """A learner whose stem has batch norm."""
    backbone = Blueprint(Conv2, "", EncoderDecoder, SIZES["nano"], 32, VOCABULARY, 6, 0).build(PrefixLM.needs)
    return Learner(backbone, [Term(1.0, PrefixLM(PrefixLM.config_class(), backbone.spec))])


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("kind", EVERY)
def test_the_gradient_is_the_undisturbed_one(loader: Made, learner: Made, kind: str, rows: int) -> None:
    objectives, texts = EVERY[kind]
    mine, views = learner(objectives), views_of(loader, objectives, texts=texts)
    loss, expected = gradients(mine, lambda: joint_gradient(mine, views, CPU))
    rows = max(rows, 2) if Pairwise in objectives else rows
    small, fitting = Small(mine, rows), Fitting(mine)
    cut, found = gradients(mine, lambda: fitting.gradient(mine, views, CPU))
    assert float(cut) == pytest.approx(float(loss), rel=1e-5)
    assert_close(found, expected)
    assert fitting.micro_batch == {1: 1, 2: 2, 3: 2}[rows] and max(small.seen) == 8


def test_what_a_backward_that_ran_out_had_added_is_gone(loader: Made, learner: Made) -> None:
    mine, views = learner([PrefixLM]), views_of(loader, [PrefixLM])
    _, expected = gradients(mine, lambda: joint_gradient(mine, views, CPU))
    Spoilt(mine, 4)
    assert_close(gradients(mine, lambda: Fitting(mine).gradient(mine, views, CPU))[1], expected)


def test_the_size_found_is_kept_and_told_once(
    loader: Made, learner: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = learner([PrefixLM])
    small, fitting = Small(mine, 2), Fitting(mine)
    for step in range(3):
        gradients(mine, lambda step=step: fitting.gradient(mine, views_of(loader, [PrefixLM], step=step), CPU))
    assert small.seen == [8, 4, 2, 2, 2, 2, *[2] * 8]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "out of memory with 8 at once; from here on 2 go through at once, and the result is the same\n"


def test_where_memory_suffices_it_is_the_joint_gradient_to_the_bit(
    loader: Made, learner: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, views = learner([PrefixLM, Noisy]), views_of(loader, [PrefixLM, Noisy])
    for size in (0, 4):
        loss, expected = gradients(mine, lambda size=size: joint_gradient(mine, views, CPU, size))
        fitting = Fitting(mine, size)
        cut, found = gradients(mine, lambda fitting=fitting: fitting.gradient(mine, views, CPU))
        assert cut.equal(loss) and all(found[name].equal(value) for name, value in expected.items())
        assert fitting.micro_batch == size
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("objectives", [(Noisy,), (Noisy, Contrastive)])
def test_dropout_is_drawn_from_the_steps_seed_however_often_it_was_tried(
    loader: Made, learner: Made, objectives: Any
) -> None:
    """To the bit what a run has that took the smaller size from the start."""
    mine, views = learner(objectives), views_of(loader, objectives)
    _, expected = gradients(mine, lambda: joint_gradient(mine, views, CPU, 2))
    _, other = gradients(mine, lambda: (torch.manual_seed(6), joint_gradient(mine, views, CPU, 2))[1])
    assert any(not other[name].equal(value) for name, value in expected.items())
    Small(mine, 3)
    found = gradients(mine, lambda: Fitting(mine).gradient(mine, views, CPU))[1]
    assert all(found[name].equal(value) for name, value in expected.items())


@pytest.mark.parametrize("kind", ["pairs and texts", "several"])
def test_a_whole_training_ends_alike(loader: Made, learner: Made, kind: str) -> None:
    objectives, texts = EVERY[kind]

    def trained(rows: int) -> tuple[dict[str, Tensor], list[float]]:
        mine = learner(objectives).train()
        small, fitting, told = Small(mine, rows), Fitting(mine), list[float]()
        optimizer = torch.optim.SGD(mine.parameters(), lr=0.1, momentum=0.9)
        for step in range(6):
            small.rows = rows if step else 100  # the first step fits: it runs out later
            torch.manual_seed(seed_of(0, "dropout", step))
            optimizer.zero_grad(set_to_none=True)
            told.append(float(fitting.gradient(mine, views_of(loader, objectives, 8, texts, step), CPU)[0]))
            torch.nn.utils.clip_grad_norm_(mine.parameters(), 1.0)
            guarded_step(optimizer)
        return {name: weight.detach() for name, weight in mine.named_parameters()}, told

    whole, losses = trained(100)
    cut, found = trained(3)
    assert losses == pytest.approx(found, rel=1e-5)
    for name, weight in whole.items():
        torch.testing.assert_close(cut[name], weight, rtol=1e-5, atol=1e-5)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", ["sample-wise", "all"])
def test_the_loop_goes_on_in_smaller_pieces(loader: Made, learner: Made, kind: str) -> None:
    """Through `train`, with AdamW as every cell has it."""
    objectives, _ = EVERY[kind]

    def trained(rows: int) -> tuple[dict[str, Tensor], Training]:
        mine = learner(objectives)
        Small(mine, rows)
        told = train(mine, loader(objectives, steps=6), Optim(lr=1e-3), CPU)
        return dict(mine.named_parameters()), told

    (whole, undisturbed), (cut, told) = trained(100), trained(3)
    assert (undisturbed.micro_batch, told.micro_batch) == (0, 3)
    for before, after in zip(undisturbed.curve, told.curve, strict=True):
        assert after == pytest.approx(before, rel=1e-5, abs=1e-5)
    # AdamW divides a gradient by its own size, so a few weights with almost none of it show the rounding of sums
    apart = torch.cat([(cut[name] - weight).detach().abs().flatten() for name, weight in whole.items()])
    assert float(apart.max()) < 2e-4 and float((apart > 1e-5).float().mean()) < 1e-3


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux alone tells a process's address space")
def test_memory_that_really_runs_out() -> None:
    """A process of its own with so little address space that torch's allocator refuses the whole batch."""
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, __file__], env=where, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    size, apart = done.stdout.split()
    assert int(size) in (1, 2, 4) and float(apart) < 1e-5
    assert done.stderr.startswith("out of memory with 16 at once; from here on ")


def with_little_memory() -> None:
    """Prints the micro-batch found, and how far its gradient is from the whole batch's."""
    import resource

    torch.set_num_threads(1)
    backbone = Blueprint(Linear, "", EncoderDecoder, SIZES["nano"], 32, VOCABULARY, 6, 0).build(Wide.needs)
    learner = Learner(backbone, [Term(1.0, Wide(Wide.config_class(), backbone.spec))])
    tokens = torch.randint(10, 60, (16, 6), generator=torch.Generator().manual_seed(0))
    ids = torch.arange(16)
    batch = Batch(torch.rand(16, 3, 32, 32), tokens, tokens > 0, ids, ids, torch.zeros(()), VOCABULARY)
    views = {"pairs": {"wide": batch}}
    _, whole = gradients(learner, lambda: joint_gradient(learner, views, CPU))
    fitting = Fitting(learner)
    fitting.flops = 0  # torch would load its compiler to count them
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 400 * 2**20,) * 2)
    _, found = gradients(learner, lambda: fitting.gradient(learner, views, CPU))
    apart = max(float((found[name] - value).abs().max()) for name, value in whole.items())
    sys.stdout.write(f"{fitting.micro_batch} {apart}")


def test_flops_are_those_of_the_attempt_that_went_through(loader: Made, learner: Made) -> None:
    mine, views = learner([PrefixLM]), views_of(loader, [PrefixLM])
    undisturbed = Fitting(mine)
    assert undisturbed.flops is None
    gradients(mine, lambda: undisturbed.gradient(mine, views, CPU))
    Spoilt(mine, 2)
    fitting = Fitting(mine)
    for _ in range(2):
        gradients(mine, lambda: fitting.gradient(mine, views, CPU))
    assert fitting.flops == undisturbed.flops and fitting.flops


def test_batch_norm_is_refused_with_the_batch_that_fits(loader: Made, norms: Learner) -> None:
    views, small, before = views_of(loader, [PrefixLM]), Small(norms.train(), 2), dict(norms.named_buffers())
    before = {name: buffer.clone() for name, buffer in before.items()}
    with pytest.raises(OutOfMemory) as caught:
        Fitting(norms).gradient(norms, views, CPU)
    assert caught.value.cause == "out of memory: a batch of 8 does not fit, 2 does"
    assert caught.value.remedy == (
        "set budget.batch = 2, or take a size with group norm, which can go through in micro-batches"
    )
    assert str(caught.value) == f"{caught.value.cause}; {caught.value.remedy}"
    assert caught.value.fits == 2 and small.seen == [8, 4, 2]
    assert before.keys() == dict(norms.named_buffers()).keys()
    assert all(buffer.equal(before[name]) for name, buffer in norms.named_buffers())
    assert all(weight.grad is None for weight in norms.parameters())


def test_batch_norm_is_refused_after_a_step_that_went_through(loader: Made, norms: Learner) -> None:
    views, small, fitting = views_of(loader, [PrefixLM]), Small(norms.train(), 100), Fitting(norms, setting="a.batch")
    fitting.gradient(norms, views, CPU)
    kept = {name: buffer.clone() for name, buffer in norms.named_buffers()}
    small.rows = 4
    with pytest.raises(OutOfMemory, match=r"8 does not fit, 4 does; set a\.batch = 4, or"):
        fitting.gradient(norms, views, CPU)
    assert all(buffer.equal(kept[name]) for name, buffer in norms.named_buffers())
    with pytest.raises(UserError, match="batch norm"):
        Fitting(norms, 4)


def test_not_even_one_sample(loader: Made, learner: Made) -> None:
    mine = learner([PrefixLM])
    small = Small(mine, 0)
    with pytest.raises(OutOfMemory, match="not even one sample fits; take a smaller size or picture") as caught:
        Fitting(mine).gradient(mine, views_of(loader, [PrefixLM]), CPU)
    assert caught.value.fits == 0
    assert small.seen == [8, 4, 2, 1, 1, 1, 1]


def test_not_even_one_group(loader: Made, learner: Made) -> None:
    mine = learner([Pairwise])
    Small(mine, 1)
    with pytest.raises(OutOfMemory, match="not even 2 samples, one group, fit; take a smaller size, picture or group"):
        Fitting(mine).gradient(mine, views_of(loader, [Pairwise]), CPU)


def test_a_formula_of_the_whole_batch_that_does_not_fit(
    loader: Made, learner: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Smaller pieces do not help where `loss` itself runs out; a smaller batch does."""
    mine = learner([Pooling])
    monkeypatch.setattr(Pooling, "rows", 4)
    with pytest.raises(OutOfMemory, match=r"a batch of 8 does not fit, 4 does; set budget\.batch = 4$") as caught:
        Fitting(mine).gradient(mine, views_of(loader, [Pooling]), CPU)
    assert caught.value.fits == 4


@pytest.mark.parametrize("anew", [False, True])
def test_a_buffer_that_encode_writes_is_put_back(
    loader: Made, learner: Made, monkeypatch: pytest.MonkeyPatch, anew: bool
) -> None:
    monkeypatch.setattr(Counting, "anew", anew)
    mine = learner([Counting])
    fitting, small = Fitting(mine), Small(mine, 3)
    for step in range(3):
        small.rows = 3 - step
        gradients(mine, lambda step=step: fitting.gradient(mine, views_of(loader, [Counting], step=step), CPU))
        assert float(mine.objective("counting").seen) == 8 * (step + 1)
    assert fitting.micro_batch == 1


def test_a_buffer_that_nobody_knew_to_be_written_ends_the_training(
    loader: Made, learner: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No copy of it was made, since no step before had written it: going on would give other numbers."""
    monkeypatch.setattr(Counting, "start", 1)
    mine = learner([Counting])
    small, fitting = Small(mine, 100), Fitting(mine)
    views = views_of(loader, [Counting])
    gradients(mine, lambda: fitting.gradient(mine, views, CPU))
    small.rows = 4
    with pytest.raises(OutOfMemory, match=r"wrote the buffer 'terms\.counting\.seen'; set budget\.micro_batch"):
        gradients(mine, lambda: fitting.gradient(mine, views, CPU))


def test_a_failed_attempt_leaves_no_tensor_behind(loader: Made, learner: Made) -> None:
    mine, views, alive = learner([PrefixLM]), views_of(loader, [PrefixLM]), list[Any]()

    def remember(module: nn.Module, given: Any, made: Tensor) -> None:
        if len(made) == 8:
            alive.append(weakref.ref(made))
        else:
            assert alive and all(one() is None for one in alive)

    mine.backbone.encoder[0].register_forward_hook(remember)
    Small(mine, 4)
    gradients(mine, lambda: Fitting(mine).gradient(mine, views, CPU))
    assert len(alive) == 1


def test_other_errors_are_not_touched(loader: Made, learner: Made) -> None:
    mine = learner([PrefixLM])
    small = Small(mine, 4, lambda: RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        Fitting(mine).gradient(mine, views_of(loader, [PrefixLM]), CPU)
    assert small.seen == [8]


@pytest.mark.parametrize("many", [1000, 100])
def test_asking_with_less(many: int, capsys: pytest.CaptureFixture[str]) -> None:
    asked = []

    def ask(pace: Pace) -> int | None:
        asked.append(pace.at_once)
        if (pace.at_once or 256) > many:
            raise MemoryError
        return None  # what is asked for may be nothing

    start = Pace(workers=2)
    assert asked_with_less(ask, start) is None
    assert asked == ([0] if many == 1000 else [0, 128, 64])
    assert ("out of memory with 256 at once; from here on 64" in capsys.readouterr().err) == (many == 100)


def test_asking_with_less_from_the_pace_down_to_one() -> None:
    asked = []

    def ask(pace: Pace) -> None:
        asked.append(pace)
        raise torch.OutOfMemoryError

    with pytest.raises(OutOfMemory, match="not even one at once can be asked; take a smaller size"):
        asked_with_less(ask, Pace(workers=2, at_once=5))
    assert [one.at_once for one in asked] == [5, 2, 1] and all(one.workers == 2 for one in asked)
    with pytest.raises(ZeroDivisionError):
        asked_with_less(lambda pace: 1 // pace.at_once, Pace())


def test_an_optimiser_that_runs_out_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    weight.grad = torch.ones(2)
    guarded_step(optimizer)
    assert weight.tolist() == [0.5, 0.5]

    def refuse() -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(optimizer, "step", refuse)
    with pytest.raises(OutOfMemory, match=r"means of each weight do not fit .*; take a smaller size"):
        guarded_step(optimizer)


if __name__ == "__main__":  # a process of its own, started above
    with_little_memory()
