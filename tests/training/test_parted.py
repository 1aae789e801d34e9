"""Parts of a step: the innermost call counts, both ways; afterwards a learner is as it was."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from vlpbench.device import Device
from vlpbench.registry import load_registry
from vlpbench.runner.pretraining import learner_of
from vlpbench.runner.synthetic import synthetic_bench, synthetic_loader
from vlpbench.runner.synthetic_cell import synthetic_cell
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.joint import StepBatches, joint_loss
from vlpbench.training.learner import Learner
from vlpbench.training.parted import PARTS, parted

CPU = Device("cpu")


def made(objective: str, backbone: str = "linear/encoder-decoder/nano") -> tuple[Learner, StepBatches]:
    registry = load_registry()
    bench = synthetic_bench(synthetic_cell(objective, backbone, registry, CPU, ["budget.batch=3"]), registry, CPU)
    return learner_of(bench), synthetic_loader(bench).host(0).to(torch.device("cpu"))


def order(learner: Learner, views: StepBatches) -> list[str]:
    heard: list[str] = []
    with parted(learner, heard.append) as told:
        told.backward(joint_loss(learner, views, CPU)[0])
    return heard


def test_a_step_goes_through_its_parts_and_back() -> None:
    heard = [part for part in order(*made("prefix-lm")) if part != "rest"]
    there = heard[: heard.index("head", heard.index("decoder"))]
    assert there.index("encoder") <= there.index("stem") + 1
    assert heard.index("stem") < heard.index("decoder")
    back = heard[::-1]
    assert back.index("stem") < back.index("decoder"), "on the way back the stem comes last"
    assert Counter(heard)["stem"] == 2, "once there, once back"


def test_gradients_are_those_of_a_step_that_nobody_watches() -> None:
    learner, views = made("contrastive + masked-lm", "conv3/dual-fusion/nano")
    joint_gradient(learner, views, CPU)
    plain = {name: one.grad.clone() for name, one in learner.named_parameters() if one.grad is not None}
    learner.zero_grad(set_to_none=True)
    order(learner, views)
    for name, one in learner.named_parameters():
        if one.grad is not None:
            torch.testing.assert_close(one.grad, plain[name], rtol=1e-5, atol=1e-7)


def test_afterwards_nothing_is_wrapped() -> None:
    learner, views = made("contrastive")
    before = {id(module): set(vars(module)) for module in learner.modules()}
    order(learner, views)
    assert {id(module): set(vars(module)) for module in learner.modules()} == before


def test_nothing_stays_wrapped_where_something_fails() -> None:
    learner, _ = made("contrastive")
    with pytest.raises(KeyError, match="nobody"), parted(learner, lambda part: None):
        raise KeyError("nobody")
    assert "image_tokens" not in vars(learner.backbone)


def test_all_parts_have_names() -> None:
    assert set(order(*made("language-model", "conv2/decoder-only/nano"))) <= set(PARTS)
