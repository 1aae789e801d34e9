"""How much of a GPU a step fills: told from settings alone, about as counting would."""

from __future__ import annotations

import pytest
import torch

from vlpbench.device import Device
from vlpbench.grid import Cell
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.filling import FULL, filling_of
from vlpbench.runner.pretraining import learner_of
from vlpbench.runner.synthetic import synthetic_bench, synthetic_loader
from vlpbench.runner.synthetic_cell import synthetic_cell
from vlpbench.training.cost import counted_flops, parameters
from vlpbench.training.joint import joint_loss

CPU = Device("cpu")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def made(registry: Registry, objective: str, backbone: str, *said: str) -> Cell:
    return synthetic_cell(objective, backbone, registry, CPU, said)


@pytest.mark.parametrize(
    ("objective", "backbone"),
    [("prefix-lm", "conv3/encoder-decoder/nano"), ("contrastive", "linear/dual/nano"),
     ("masked-lm", "conv2/decoder-only/nano")],
)
def test_the_work_of_a_step_is_within_a_factor_of_three(registry: Registry, objective: str, backbone: str) -> None:
    cell = made(registry, objective, backbone, "budget.batch=4")
    told = filling_of(cell, registry)
    bench = synthetic_bench(cell, registry, CPU)
    learner = learner_of(bench)
    assert told.weights == parameters(learner.backbone) and told.samples == 4
    with counted_flops() as flops:
        loss, _, _ = joint_loss(learner, synthetic_loader(bench, 1).host(0).to(torch.device("cpu")), CPU)
        loss.backward()
    assert flops() / 3.5 < told.work < 3.5 * flops()


def test_the_demo_is_small_and_a_large_model_is_not(registry: Registry) -> None:
    nano = filling_of(made(registry, "prefix-lm", "conv3/encoder-decoder/nano", "budget.batch=512"), registry)
    assert nano.work < FULL / 10
    base = filling_of(made(registry, "prefix-lm", "conv3/encoder-decoder/base", "budget.batch=512"), registry)
    assert base.work > 10 * FULL and 200e6 < base.weights < 300e6
    assert base.sentence.startswith("a step of 2") and "M parameters x 512 samples fills a GPU" in base.sentence


def test_views_and_batches_count(registry: Registry) -> None:
    one = filling_of(made(registry, "contrastive", "linear/dual/nano", "budget.batch=32"), registry)
    two = filling_of(made(registry, "contrastive", "linear/dual/nano", "budget.batch=64"), registry)
    assert two.work == 2 * one.work and one.places == 16 + 24
