"""Work by part: hand formulas for a tiny model, the documented counts of real sizes, and what shapes cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.plugin import Objective, Step
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.bench_parts import account_of
from vlpbench.runner.synthetic import synthetic_bench, synthetic_loader
from vlpbench.runner.synthetic_cell import synthetic_cell
from vlpbench.training.account import Account, Work, account
from vlpbench.training.cost import counted_flops
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.learner import Learner, Term

CPU = Device("cpu")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def counted(registry: Registry, objective: str, backbone: str, *said: str) -> Account:
    cell = synthetic_cell(objective, backbone, registry, CPU, said)
    bench = synthetic_bench(cell, registry, CPU)
    return account_of(bench, synthetic_loader(bench).host(0))


def test_a_tiny_encoder_decoder_by_hand(registry: Registry) -> None:
    """Width 96, one encoder and two decoder layers, 16 patches of 8 x 8, 10 words on each side."""
    found = counted(registry, "prefix-lm", "linear/encoder-decoder/nano", "budget.batch=2", "text.length=10")
    width, patches, words, vocabulary, batch = 96, 16, 10, 1_000, 2
    tokens = patches + words

    def mlp(n: int) -> int:
        return 2 * 2 * n * width * 4 * width

    def attention(asking: int, seen: int) -> int:
        return 2 * width * width * (2 * asking + 2 * seen) + 2 * 2 * asking * seen * width

    stem = 2 * patches * 3 * 8 * 8 * width
    encoder = attention(tokens, tokens) + mlp(tokens)
    decoder = 2 * (attention(words, words) + attention(words, tokens) + mlp(words))
    head = 2 * words * width * vocabulary
    parts = found.parts
    assert parts["stem"].forward == batch * stem
    assert parts["stem"].backward == batch * stem, "nobody asks for the gradient of pixels"
    for name, forward in {"encoder": encoder, "decoder": decoder, "head": head}.items():
        assert (parts[name].forward, parts[name].backward) == (batch * forward, 2 * batch * forward), name
    assert found.flops == batch * (2 * stem + 3 * (encoder + decoder + head))
    assert parts["head"].weights == vocabulary * width
    assert found.samples == batch


@pytest.mark.parametrize(
    ("backbone", "stem", "encoder", "decoder", "head", "weights"),
    [
        ("conv3/encoder-decoder/base", 14.3, 40.6, 13.1, 1.6, 251),
        pytest.param("conv2/encoder-decoder/small", None, 52.0, 9.2, 1.0, None, marks=pytest.mark.slow),
        pytest.param("conv4/encoder-decoder/small", None, 4.2, 2.6, 1.0, None, marks=pytest.mark.slow),
    ],
)
def test_the_documented_counts(
    registry: Registry, backbone: str, stem: float | None, encoder: float, decoder: float, head: float,
    weights: float | None,
) -> None:
    """GFLOP forward of a pair of 224 pixels and 32 + 32 tokens, 32,000 words; stems of other depths are not told."""
    found = counted(registry, "prefix-lm", backbone, "budget.batch=1")
    each = {name: round(work.forward / 1e9, 1) for name, work in found.parts.items()}
    assert (each["encoder"], each["decoder"], each["head"]) == (encoder, decoder, head)
    if stem is not None and weights is not None:
        assert each["stem"] == stem
        assert round(found.weights / 1e6, -1) == pytest.approx(weights, abs=2)
        assert round(sum(work.forward for work in found.parts.values()) / 1e9, 1) == 69.6


@pytest.mark.parametrize(
    ("objective", "backbone"),
    [("contrastive + image-text-matching", "conv3/encoder-decoder/nano"), ("masked-lm", "linear/dual-fusion/nano"),
     ("language-model", "conv2/decoder-only/nano")],
)
def test_it_counts_what_a_real_step_counts(registry: Registry, objective: str, backbone: str) -> None:
    """Parts add up to the whole; a real step on a CPU, whose fused attention goes back by five products, is near."""
    cell = synthetic_cell(objective, backbone, registry, CPU, ["budget.batch=4", "texts=digits-texts"])
    bench = synthetic_bench(cell, registry, CPU)
    host = synthetic_loader(bench).host(0)
    found = account_of(bench, host)
    backbone_built = bench.blueprint.build(bench.needs)
    learner = Learner(backbone_built, [Term(one.weight, one.build(backbone_built.spec, 0)) for one in bench.terms])
    with counted_flops() as flops:
        joint_gradient(learner, host.to(torch.device("cpu")), CPU)
    assert found.flops == pytest.approx(flops(), rel=0.05)
    assert found.flops <= flops()
    assert found.weights == sum(one.numel() for one in learner.parameters() if one.requires_grad)
    assert set(found.parts) <= {"stem", "encoder", "decoder", "head", "teacher", "rest"}


def test_bytes_are_of_full_precision(registry: Registry) -> None:
    found = counted(registry, "prefix-lm", "", "budget.batch=2")
    assert found.bytes() == {"weights": 4 * found.weights, "gradients": 4 * found.weights,
                             "optimiser": 8 * found.weights}
    assert found.optimiser.moved == 7 * found.weights


def test_a_roofline_is_the_slower_of_two() -> None:
    work = Work(forward=100, backward=200, moved=50)
    assert work.seconds(peak=300, bandwidth=1e9) == 1.0
    assert work.seconds(peak=1e9, bandwidth=50, size=4) == 4.0


def test_numbers_that_are_moved_grow_with_the_batch(registry: Registry) -> None:
    small, large = (counted(registry, "contrastive", "linear/dual/nano", f"budget.batch={many}") for many in (4, 8))
    assert small.parts["encoder"].moved < large.parts["encoder"].moved < 2 * small.parts["encoder"].moved
    assert large.parts["stem"].flops == 2 * small.parts["stem"].flops


class Looking(Objective):
    """Asks a tensor for its numbers, which no shape has."""

    name, needs = "looking", frozenset({"image_tokens"})

    def encode(self, backbone: Any, batch: Any) -> Mapping[str, Tensor]:
        return {"x": backbone.image_tokens(batch.image)}

    def loss(self, features: Mapping[str, Tensor], batch: Any) -> Step:
        return Step(features["x"].mean((1, 2)) * (1 if float(features["x"].sum()) > 0 else 2))


class Casting(Looking):
    """Speaks of its device, which "meta" is not for mixed precision."""

    name = "casting"

    def loss(self, features: Mapping[str, Tensor], batch: Any) -> Step:
        with torch.autocast(features["x"].device.type, enabled=False):
            return Step((features["x"] @ features["x"].mT).mean((1, 2)))


def of(registry: Registry, objective: type[Objective]) -> Account:
    bench = synthetic_bench(synthetic_cell("", "linear/encoder-decoder/nano", registry, CPU,
                                           ["budget.batch=2"]), registry, CPU)
    host = synthetic_loader(bench).host(0).to(torch.device("cpu"))
    views = {kind: {objective.name: next(iter(some.values()))} for kind, some in host.items()}

    def build() -> Learner:
        backbone = bench.blueprint.build({"image_tokens"})
        return Learner(backbone, [Term(1.0, objective(None, backbone.spec))])

    return account(build, views)


def test_what_looks_at_numbers_cannot_be_counted(registry: Registry) -> None:
    with pytest.raises(UserError, match="cannot be counted on shapes alone"):
        of(registry, Looking)


def test_what_asks_for_its_device_is_counted_all_the_same(registry: Registry) -> None:
    assert of(registry, Casting).parts["head"].forward == 2 * 2 * 16 * 16 * 96


def test_a_weight_that_nobody_meets_is_in_the_rest(registry: Registry) -> None:
    class Idle(Casting):
        name = "idle"

        def __init__(self, config: Any, spec: Any) -> None:
            super().__init__(config, spec)
            self.idle = nn.Linear(3, 5)

    idle, busy = of(registry, Idle), of(registry, Casting)
    assert idle.parts["rest"].weights == busy.parts["rest"].weights + 15 + 5
