"""A compiled step gives what a plain one gives, is compiled once, and gives way where it cannot."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vlpbench.backbones import Conv2, DecoderOnly, DualEncoder, DualFusion, EncoderDecoder, Linear
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import Optim
from vlpbench.contract.objective import Objective
from vlpbench.contract.wiring import Trunk
from vlpbench.data.loader import Loader
from vlpbench.device import Device
from vlpbench.objectives import (
    Contrastive,
    ImageTextMatching,
    LanguageModel,
    MaskedLM,
    PrefixLM,
    SpanCorruption,
)
from vlpbench.training.build import Blueprint, draw
from vlpbench.training.compiled import Compiling, share_compiled_code
from vlpbench.training.fitting import Fitting
from vlpbench.training.joint import terms_of
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import train_step
from vlpbench.training.optimizer import make_optimizer
from vlpbench.training.pace import Pace
from vlpbench.types import Batch, Step

CPU = Device("cpu")
Made = Callable[..., Any]
ALL = [Contrastive, ImageTextMatching, LanguageModel, MaskedLM, PrefixLM, SpanCorruption]
SHALLOW = replace(SIZES["nano"], encoder=1, decoder=1)


class Taught(Objective):
    """Asks a teacher, and drops out half of what it hears."""

    name, needs, teacher = "taught", frozenset({"image_vector", "text_vector"}), 0.9

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        heard = nn.functional.dropout(backbone.teacher.text_vector(batch.text), 0.5)
        return {"apart": (backbone.image_vector(batch.image) - heard).square().sum(1)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["apart"], {"apart": features["apart"].mean()}, {"ids": batch.image_ids})


class Reading(Objective):
    """Reads a number off the device in its formula, which no graph can hold."""

    name, needs = "reading", frozenset({"text_vector"})

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"vector": backbone.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        rows = features["vector"][:, 0]
        return Step(rows * 2 if sum(rows.tolist()) > 0 else rows)


class Ageing(Reading):
    """Its formula asks how often it was computed: another graph each time."""

    name = "ageing"

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.age = 0

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        self.age += 1
        return Step(features["vector"][:, 0] * (1 + self.age))


@pytest.fixture
def of(blueprint: Blueprint) -> Made:
    """(objective classes, trunk, its settings, other changes) -> a shallow learner drawn from the seed."""

    def make(
        objectives: Sequence[type[Objective]], trunk: type[Trunk] = EncoderDecoder, config: Any = None, **changes: Any
    ) -> Learner:
        needs = frozenset().union(*(one.needs_with(one.config_class()) for one in objectives))
        plan = replace(blueprint, trunk=trunk, config=config, size=SHALLOW, **changes)
        backbone = plan.build(needs)
        terms = [Term(1 + number, one(one.config_class(), backbone.spec)) for number, one in enumerate(objectives)]
        for term in terms:
            draw(term.objective, 0, prefix=f"objective/{term.objective.name}/")
        return Learner(backbone, terms).train()

    return make


def stepped(learner: Learner, loader: Loader, how: Compiling | None, micro_batch: int = 0) -> tuple[Any, Any]:
    """Figures of each step, and all tensors after the last."""
    fitting = Fitting(learner, micro_batch)
    if how is not None:
        fitting.compiling = how
    optimizer = make_optimizer(learner, Optim(lr=1e-3))
    told = []
    for step, host in enumerate(loader):
        torch.manual_seed(step)
        figures = train_step(learner, host.to(CPU.torch), optimizer, 1.0, CPU, fitting)
        told.append({name: float(value) for name, value in figures.items()})
    return told, {name: x.clone() for name, x in learner.state_dict().items()}


def assert_same(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    for mine, theirs in zip(one[0], other[0], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-5, abs=1e-6)
    for name, value in one[1].items():
        assert torch.allclose(value, other[1][name], rtol=1e-5, atol=1e-5), name


WIRINGS = {
    "encoder-decoder": (EncoderDecoder, None), "decoder-only": (DecoderOnly, None), "dual": (DualEncoder, None),
    "own decoder": (DualFusion, DualFusionConfig(decoder="own")),
    "split": (DualFusion, DualFusionConfig(decoder="split")),
}


@pytest.mark.parametrize("wiring", WIRINGS)
def test_every_objective_of_every_trunk_is_one_graph(wiring: str, of: Made, loader: Made) -> None:
    trunk, config = WIRINGS[wiring]
    stem = Conv2 if wiring == "dual" else Linear  # with batch norm once
    offers = trunk.offers_with(config or trunk.config_class())
    objectives = [one for one in ALL if one.needs_with(one.config_class()) <= offers]
    how = Compiling("always", backend="eager")
    batches = loader(objectives, steps=3)
    found = stepped(of(objectives, trunk, config, stem=stem), batches, how)
    assert list(how.graphs) == [("pairs", 6)]
    assert_same(found, stepped(of(objectives, trunk, config, stem=stem), batches, None))


def test_backward_is_compiled_too_with_teacher_dropout_and_what_is_carried(of: Made, loader: Made) -> None:
    batches = loader([Taught], steps=3)
    how = Compiling("always", backend="aot_eager")
    found = stepped(of([Taught]), batches, how)
    assert how.graphs
    assert_same(found, stepped(of([Taught]), batches, None))


def test_pieces_are_compiled_by_their_rows(of: Made, loader: Made) -> None:
    batches = loader([PrefixLM], steps=3)
    how = Compiling("always", backend="eager")
    found = stepped(of([PrefixLM]), batches, how, micro_batch=4)
    assert sorted(how.graphs) == [("pairs", 2), ("pairs", 4)]
    assert_same(found, stepped(of([PrefixLM]), batches, None))


def test_cached_terms_stay_plain(of: Made, loader: Made) -> None:
    batches = loader([Contrastive], steps=2)
    how = Compiling("always", backend="eager")
    found = stepped(of([Contrastive]), batches, how, micro_batch=3)
    assert not how.graphs
    assert_same(found, stepped(of([Contrastive]), batches, None, micro_batch=3))


def test_what_breaks_the_graph_trains_plainly_and_says_so_once(of: Made, loader: Made, capsys: Any) -> None:
    batches = loader([Reading], steps=3)
    how = Compiling("always", backend="eager")
    found = stepped(of([Reading]), batches, how)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "not compiled from here on" in said[0]
    assert how.choice == "never" and not how.graphs
    assert_same(found, stepped(of([Reading]), batches, None))


def test_nothing_is_compiled_a_second_time(of: Made, loader: Made, capsys: Any) -> None:
    batches = loader([Ageing], steps=4)
    compilations: list[Any] = []

    def backend(graph: Any, inputs: Any) -> Any:
        compilations.append(graph)
        return graph.forward

    stepped(of([Ageing]), batches, Compiling("always", backend=backend))
    assert len(compilations) == 1
    assert "not compiled from here on" in capsys.readouterr().err


def test_a_graph_that_does_not_fit_gives_way_to_a_plain_step(learner: Made, loader: Made, capsys: Any) -> None:
    def backend(graph: Any, inputs: Any) -> Any:
        def run(*given: Any) -> Any:
            raise torch.OutOfMemoryError("out of memory")

        return run

    how = Compiling("always", backend=backend)
    found = stepped(learner([PrefixLM]).train(), loader([PrefixLM], steps=3), how)
    assert "out of memory" in capsys.readouterr().err
    assert_same(found, stepped(learner([PrefixLM]).train(), loader([PrefixLM], steps=3), None))


class Clock(Device):
    """A GPU's word for the choice, on which each look at the clock is so many seconds after the last."""

    apart = 1.0

    def seconds(self) -> float:
        """Later each time."""
        type(self).now = getattr(type(self), "now", 0.0) + self.apart
        return type(self).now


@pytest.mark.parametrize(("steps", "chosen"), [(2000, True), (300, False), (0, False)])
def test_auto_compiles_where_what_is_left_wins_back_what_compiling_takes(
    steps: int, chosen: bool, learner: Made
) -> None:
    how, model, gpu = Compiling("auto", steps), learner([PrefixLM]), Clock("cuda")
    for _ in range(7):
        assert how.next(model, gpu, whole=True) is terms_of
    assert (how.next(model, gpu, whole=True) is not terms_of) is chosen
    assert how.choice == ("always" if chosen else "never")


def test_auto_never_compiles_on_a_cpu(learner: Made) -> None:
    how, model = Compiling("auto", 10**9), learner([PrefixLM])
    assert all(how.next(model, CPU, whole=True) is terms_of for _ in range(20))


def test_never_is_plain_and_the_pace_decides(learner: Made) -> None:
    model = learner([PrefixLM])
    assert Compiling("never", 10**9).next(model, CPU, whole=True) is terms_of
    assert Fitting(model, pace=Pace(compiled="always")).compiling.choice == "always"
    assert Fitting(model).compiling.choice == "auto"


def test_compiled_code_is_kept_in_the_cache_folder_unless_a_place_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VLPBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "elsewhere")
    share_compiled_code()
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == "elsewhere"
    for nobodys in ("", str(Path(gettempdir()) / "torchinductor_somebody")):
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", nobodys)
        share_compiled_code()
        assert Path(os.environ["TORCHINDUCTOR_CACHE_DIR"]) == tmp_path / "compiled"


@pytest.mark.gpu
def test_a_cuda_graph_gives_what_a_plain_step_gives(of: Made, loader: Made) -> None:
    gpu, batches = Device.choose(), loader([PrefixLM], steps=6)

    def losses(choice: Any) -> list[float]:
        model = of([PrefixLM]).to(gpu.torch)
        fitting, optimizer = Fitting(model, pace=Pace(compiled=choice)), make_optimizer(model, Optim(lr=1e-3))
        found = [train_step(model, host.to(gpu.torch), optimizer, 1.0, gpu, fitting)["loss"] for host in batches]
        return torch.stack(found).tolist()

    assert losses("always") == pytest.approx(losses("never"), rel=0.02)
