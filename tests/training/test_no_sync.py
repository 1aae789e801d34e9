"""Nothing in a step waits for the device: no number is read off it, and no shape hangs on what is in a tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from vlpbench.backbones import Conv2, DecoderOnly, DualEncoder, DualFusion, EncoderDecoder, Linear
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import Optim
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
from vlpbench.parts.sight import apart
from vlpbench.training.build import Blueprint
from vlpbench.training.fitting import Fitting
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import train_step
from vlpbench.training.optimizer import make_optimizer
from vlpbench.training.pace import Pace
from vlpbench.types import Batch, Step

Made = Callable[..., Any]
CPU, SHAPES = Device("cpu"), Device("meta")
ALL = [Contrastive, ImageTextMatching, LanguageModel, MaskedLM, PrefixLM, SpanCorruption]
WIRINGS: dict[str, tuple[Any, Any]] = {
    "encoder-decoder": (EncoderDecoder, None), "decoder-only": (DecoderOnly, None), "dual": (DualEncoder, None),
    "bert": (DualFusion, DualFusionConfig(text_norm="post")),
    "own decoder": (DualFusion, DualFusionConfig(decoder="own")),
    "split": (DualFusion, DualFusionConfig(decoder="split")),
}
WAITING = (
    "_local_scalar_dense", "item", "nonzero", "nonzero_numpy", "masked_select", "equal", "is_nonzero", "unique",
    "_unique2", "unique_dim", "unique_consecutive", "argwhere", "bincount", "multinomial",
)
"""Operators that wait for the device, or whose shapes hang on numbers."""


class Waited(AssertionError):
    """Something waits."""


class NoWaiting(TorchDispatchMode):
    """Refuses what would wait for a GPU."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function._schema.name.partition("::")[2]
        chosen = args[1] if name.startswith(("index", "_index_put")) and len(args) > 1 else ()
        by_mask = isinstance(chosen, list | tuple) and any(
            isinstance(one, Tensor) and one.dtype in (torch.bool, torch.uint8) for one in chosen
        )
        if name.rstrip("_") in WAITING or by_mask:
            raise Waited(f"{name} waits")
        return function(*args, **(kwargs or {}))


class Carrying(Objective):
    """Has a teacher that warms up, and a queue."""

    name, needs, uses = "carrying", frozenset({"text_vector"}), frozenset({"pairs", "texts"})
    teacher, teacher_warms_up = 0.9, True

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.register_buffer("queue", torch.zeros(4, spec.joint_width))

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"said": backbone.text_vector(batch.text), "heard": backbone.teacher.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        apart = (features["said"] - features["heard"]).square().sum(1)
        return Step({"near": apart, "far": (features["said"] @ self.queue.T).sum(1)}, {"apart": apart.mean()}, {
            "rows": features["said"]
        })

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        self.queue.copy_(carry["rows"][:4])


class Reading(Carrying):
    """Reads a number off the device while it is at work."""

    name = "reading"

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        if carry["rows"].sum().item() > 0:
            self.queue.zero_()


class Picking(Carrying):
    """Picks rows by a mask."""

    name = "picking"

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        rows = features["said"][:, 0]
        rows = rows + rows[rows > 0].sum()
        return Step(rows)


@pytest.fixture
def of(blueprint: Blueprint) -> Made:
    """(objective classes, changes) -> a learner of weighted terms."""

    def make(objectives: Sequence[type[Objective]], **changes: Any) -> Learner:
        needs = frozenset().union(*(one.needs_with(one.config_class()) for one in objectives))
        backbone = replace(blueprint, **changes).build(needs)
        terms = [Term(0.5 + at, one(one.config_class(), backbone.spec)) for at, one in enumerate(objectives)]
        return Learner(backbone, terms).train()

    return make


def those_of(trunk: Any, config: Any) -> list[type[Objective]]:
    """The built-in objectives that a trunk can learn."""
    offers = trunk.offers_with(config or trunk.config_class())
    return [one for one in ALL if one.needs_with(one.config_class()) <= offers]


def on(host: Any, device: Device, texts: bool = False) -> Any:
    """The batches of a step on a device; `texts`: those of texts as well, the same without pictures."""
    views = host.to(torch.device("cpu"))
    if texts:
        views["texts"] = {
            name: replace(view, images=None, has_image=False) for name, view in views["pairs"].items()
        }
    return {
        kind: {name: moved(view, device.torch) for name, view in some.items()} for kind, some in views.items()
    }


def moved(batch: Batch, device: torch.device) -> Batch:
    """All of a batch's tensors on a device."""
    names = ("images", "tokens", "mask", "image_ids", "caption_ids", "progress")
    named = {name: getattr(batch, name) for name in names}
    arrays = {name: x if x is None else x.to(device) for name, x in named.items()}
    return replace(batch, extras={name: x.to(device) for name, x in batch.extras.items()}, **arrays)


def two_steps(learner: Learner, host: Any, texts: bool = False, **how: Any) -> dict[str, Tensor]:
    """The first of which may do what is done once; in neither may anything wait."""
    optimizer, fitting = make_optimizer(learner, Optim()), Fitting(learner, **how)
    for _ in range(2):
        views = on(host, CPU, texts)
        with NoWaiting():
            figures = train_step(learner, views, optimizer, 1.0, CPU, fitting)
    return figures


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("lean", [False, True])
def test_no_step_of_a_built_in_objective_waits(wiring: str, lean: bool, of: Made, loader: Made) -> None:
    trunk, config = WIRINGS[wiring]
    objectives = those_of(trunk, config)
    with apart(lean):
        figures = two_steps(of(objectives, trunk=trunk, config=config), loader(objectives).host(0))
    assert {f"{one.name}/loss" for one in objectives} <= figures.keys()


def test_pairs_and_texts_teachers_queues_pieces_and_recomputing(of: Made, loader: Made) -> None:
    objectives = [PrefixLM, Carrying, Contrastive]
    learner, host = of(objectives), loader(objectives).host(0)
    assert "carrying/texts/apart" in two_steps(learner, host, texts=True)
    assert "carrying/texts/apart" in two_steps(learner, host, texts=True, micro_batch=3, pace=Pace(recompute=True))


def test_a_stem_with_batch_norm(of: Made, loader: Made) -> None:
    assert SIZES["nano"].batch_norm
    assert "prefix-lm/loss" in two_steps(of([PrefixLM], stem=Conv2), loader([PrefixLM]).host(0))


@pytest.mark.parametrize("wrong", [Reading, Picking])
def test_what_waits_is_found(wrong: type[Objective], of: Made, loader: Made) -> None:
    with pytest.raises(Waited):
        two_steps(of([wrong]), loader([wrong]).host(0))


@pytest.mark.parametrize("wiring", WIRINGS)
def test_a_step_needs_shapes_alone(wiring: str, of: Made, loader: Made) -> None:
    trunk, config = WIRINGS[wiring]
    objectives = those_of(trunk, config)
    learner = of(objectives, trunk=trunk, config=config, stem=Linear).to("meta")
    views = on(loader(objectives).host(0), SHAPES, texts="text_tokens" in trunk.offers)
    views = views if trunk is EncoderDecoder else {"pairs": views["pairs"]}
    optimizer = torch.optim.SGD(learner.parameters(), 0.1)
    figures = train_step(learner, views, optimizer, 1.0, SHAPES, Fitting(learner))
    assert all(value.is_meta for value in figures.values())
    assert {f"{one.name}/loss" for one in objectives} <= figures.keys()


@pytest.mark.gpu
def test_a_gpu_is_never_waited_for(of: Made, loader: Made) -> None:
    gpu, objectives = Device.choose(), [PrefixLM, Contrastive]
    learner, host = of(objectives, stem=Conv2).to(gpu.torch), loader(objectives).host(0)
    optimizer, fitting, views = make_optimizer(learner, Optim()), Fitting(learner), on(host, gpu)
    train_step(learner, views, optimizer, 1.0, gpu, fitting)
    torch.cuda.set_sync_debug_mode("error")
    try:
        figures = train_step(learner, views, optimizer, 1.0, gpu, fitting)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(figures["loss"])
