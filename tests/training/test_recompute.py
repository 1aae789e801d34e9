"""Layers that are computed again give the same gradients, keep less in between, and count once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from vlpbench.backbones import Conv2, DecoderOnly, DualEncoder, DualFusion, EncoderDecoder, Linear
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.backbones.sizes import SIZES
from vlpbench.contract.objective import Objective
from vlpbench.device import Device
from vlpbench.objectives import (
    Contrastive,
    ImageTextMatching,
    LanguageModel,
    MaskedLM,
    PrefixLM,
    SpanCorruption,
)
from vlpbench.parts import DecoderBlock, EncoderBlock, FusionBlock
from vlpbench.training.build import Blueprint
from vlpbench.training.compiled import Compiling
from vlpbench.training.fitting import Fitting
from vlpbench.training.joint import terms_of
from vlpbench.training.learner import Learner, Term
from vlpbench.training.pace import Pace
from vlpbench.training.recompute import Recomputing, layers_to_recompute
from vlpbench.types import Batch, Step

CPU = Device("cpu")
Made = Callable[..., Any]
ALL = [Contrastive, ImageTextMatching, LanguageModel, MaskedLM, PrefixLM, SpanCorruption]
WIRINGS: dict[str, tuple[Any, Any]] = {
    "encoder-decoder": (EncoderDecoder, None), "decoder-only": (DecoderOnly, None), "dual": (DualEncoder, None),
    "bert": (DualFusion, DualFusionConfig(text_norm="post")),
    "own decoder": (DualFusion, DualFusionConfig(decoder="own")),
    "split": (DualFusion, DualFusionConfig(decoder="split")),
}


class Taught(Objective):
    """Asks a teacher, whose layers have no backward pass."""

    name, needs, teacher = "taught", frozenset({"text_vector"}), 0.9

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"apart": (backbone.text_vector(batch.text) - backbone.teacher.text_vector(batch.text)).square().sum(1)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["apart"])


@pytest.fixture
def of(blueprint: Blueprint) -> Made:
    """(objective classes, changes) -> a learner drawn from the seed, all of its weights stirred."""

    def make(objectives: Sequence[type[Objective]], **changes: Any) -> Learner:
        needs = frozenset().union(*(one.needs_with(one.config_class()) for one in objectives))
        torch.manual_seed(5)
        backbone = replace(blueprint, **changes).build(needs)
        learner = Learner(backbone, [Term(1.0, one(one.config_class(), backbone.spec)) for one in objectives]).train()
        with torch.no_grad():
            for weight in learner.parameters():
                weight += 0.05 * torch.randn(weight.shape)
        return learner

    return make


def gradient(learner: Learner, batches: Any, **pace: Any) -> tuple[Fitting, Any, dict[str, Tensor]]:
    learner.zero_grad()
    fitting = Fitting(learner, pace=Pace(**pace))
    torch.manual_seed(3)
    loss, _, _ = fitting.gradient(learner, batches, CPU)
    return fitting, loss, {name: w.grad.clone() for name, w in learner.named_parameters() if w.grad is not None}


def assert_same(learner: Learner, batches: Any) -> None:
    plain, loss, theirs = gradient(learner, batches)
    again, lost, ours = gradient(learner, batches, recompute=True)
    assert torch.equal(loss, lost) and ours.keys() == theirs.keys()
    assert all(torch.allclose(ours[name], theirs[name], rtol=1e-6, atol=1e-7) for name in ours)
    assert again.flops == plain.flops  # work that is done again is no work of the model's


@pytest.mark.parametrize("wiring", WIRINGS)
def test_gradients_are_equal_and_work_counts_once(wiring: str, of: Made, loader: Made) -> None:
    trunk, config = WIRINGS[wiring]
    offers = trunk.offers_with(config or trunk.config_class())
    objectives = [one for one in ALL if one.needs_with(one.config_class()) <= offers]
    learner = of(objectives, trunk=trunk, config=config)
    assert_same(learner, loader(objectives).host(0).to(CPU.torch))


@pytest.mark.parametrize("normed", [False, True])
def test_stems_and_teachers(normed: bool, of: Made, loader: Made) -> None:
    learner = of([PrefixLM, Taught], stem=Conv2, size=replace(SIZES["nano"], batch_norm=normed))
    buffers = {name: x.clone() for name, x in learner.named_buffers()}
    assert_same(learner, loader([PrefixLM, Taught]).host(0).to(CPU.torch))
    tracked = [name for name in buffers if name.endswith("num_batches_tracked")]
    assert bool(tracked) is normed
    assert all(learner.get_buffer(name) == (0 if "teachers" in name else 2) for name in tracked)  # once a gradient


def test_what_is_dropped_out_is_dropped_out_again(of: Made, loader: Made) -> None:
    learner = of([PrefixLM])
    for block in learner.modules():
        if isinstance(block, EncoderBlock | DecoderBlock):
            block.mlp.append(nn.Dropout(0.5))
    assert_same(learner, loader([PrefixLM]).host(0).to(CPU.torch))


def test_pieces_and_cached_terms(of: Made, loader: Made) -> None:
    learner, batches = of([Contrastive, PrefixLM]), loader([Contrastive, PrefixLM]).host(0).to(CPU.torch)
    _, loss, theirs = gradient(learner, batches)
    learner.zero_grad()
    pieces = Fitting(learner, 2, pace=Pace(recompute=True))
    lost, _, _ = pieces.gradient(learner, batches, CPU)
    assert torch.allclose(loss, lost)
    assert all(torch.allclose(learner.get_parameter(name).grad, theirs[name], rtol=1e-4, atol=1e-6) for name in theirs)


def test_it_is_one_graph_as_well(of: Made, loader: Made) -> None:
    learner, step = of([PrefixLM], size=replace(SIZES["nano"], encoder=1, decoder=1)), loader([PrefixLM])
    _, _, theirs = gradient(learner, step.host(0).to(CPU.torch))
    fitting = Fitting(learner, pace=Pace(recompute=True))
    fitting.compiling = Compiling("always", backend="eager")
    for _ in range(3):
        learner.zero_grad()
        fitting.gradient(learner, step.host(0).to(CPU.torch), CPU)
    assert fitting.compiling.graphs
    assert all(torch.allclose(learner.get_parameter(name).grad, theirs[name], rtol=1e-4, atol=1e-6) for name in theirs)


class Alive(TorchDispatchMode):
    """Remembers all that is made, and tells how much of it is still there."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, Tensor):
                storage = one.untyped_storage()
                self.made[storage._cdata] = weakref.ref(storage)
        return made

    def bytes(self) -> int:
        return sum(storage.nbytes() for made in self.made.values() if (storage := made()) is not None)


@pytest.mark.parametrize(("trunk", "stem"), [(EncoderDecoder, Linear), (DecoderOnly, Linear), (DualEncoder, Conv2)])
def test_less_is_kept_between_the_passes(trunk: Any, stem: Any, of: Made, loader: Made) -> None:
    objective = Contrastive if trunk is DualEncoder else PrefixLM
    deep = replace(SIZES["nano"], encoder=6, decoder=2, batch_norm=False)
    learner = of([objective], trunk=trunk, stem=stem, size=deep)
    views = loader([objective]).host(0).to(CPU.torch)["pairs"]

    def kept() -> int:
        with Alive() as alive:
            said = terms_of(learner, "pairs", views, CPU)
            found = alive.bytes()
        assert said
        return found

    plain = kept()
    with Recomputing(learner):
        again = kept()
    assert again < plain / 2


def test_layers_inside_of_layers_are_no_layers_of_their_own(of: Made) -> None:
    learner = of([ImageTextMatching], trunk=DualFusion)
    layers = layers_to_recompute(learner)
    assert any(isinstance(layer, FusionBlock) for layer in layers)
    assert not any(isinstance(layer, DecoderBlock) for layer in layers)


def test_layers_are_as_before_afterwards(of: Made) -> None:
    learner = of([PrefixLM])
    before = [dict(module.__dict__) for module in learner.modules()]
    with Recomputing(learner):
        assert "forward" in learner.backbone.encoder[0].__dict__
    assert [module.__dict__.keys() for module in learner.modules()] == [each.keys() for each in before]


def test_a_list_by_name_is_filled_once() -> None:
    block, x = EncoderBlock(8, 2), torch.randn(1, 3, 8, requires_grad=True)
    kept: list[Any] = []
    with Recomputing(block):
        found = block(x, kept=kept)
        (found.sum() + kept[0][0].sum()).backward()
    assert len(kept) == 1
