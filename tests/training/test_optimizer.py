"""AdamW: matrices decay, vectors do not, frozen weights are not touched."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vlpbench.config.settings import Optim
from vlpbench.training.optimizer import make_optimizer


class Mixed(nn.Module):
    """A matrix, a convolution, vectors, a single number, and one that is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.convolution = nn.Conv2d(2, 2, 1, bias=False)
        self.norm = nn.LayerNorm(2)
        self.temperature = nn.Parameter(torch.tensor(1.0))
        self.frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)


def test_only_matrices_decay() -> None:
    model, optim = Mixed(), Optim(lr=0.1, weight_decay=0.5)
    optimizer = make_optimizer(model, optim)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
    optimizer.step()
    for name, value in model.named_parameters():
        shrinks = name in ("linear.weight", "convolution.weight")
        assert torch.allclose(value, before[name] * (1 - 0.1 * 0.5 if shrinks else 1)), name


def test_one_step_is_that_of_the_paper() -> None:
    """After bias correction the first step is lr * g / (|g| + eps), whatever the betas."""
    model = nn.Linear(3, 2, bias=False)
    before = model.weight.detach().clone()
    optimizer = make_optimizer(model, Optim(lr=0.01, weight_decay=0.1))
    gradient = torch.randn(2, 3)
    model.weight.grad = gradient.clone()
    optimizer.step()
    assert torch.allclose(model.weight, before * (1 - 0.001) - 0.01 * gradient.sign(), atol=1e-6)


def test_settings_are_used_and_every_trained_weight_stands_in_one_group() -> None:
    model = Mixed()
    optimizer = make_optimizer(model, Optim(lr=0.3, beta1=0.7, beta2=0.8, weight_decay=0.2))
    held = [id(one) for group in optimizer.param_groups for one in group["params"]]
    trained = [id(one) for one in model.parameters() if one.requires_grad]
    assert sorted(held) == sorted(trained)
    assert id(model.frozen) not in held
    assert {(group["lr"], group["betas"]) for group in optimizer.param_groups} == {(0.3, (0.7, 0.8))}


@pytest.mark.parametrize("model", [nn.LayerNorm(3), nn.Linear(2, 2, bias=False)])
def test_a_model_of_one_kind_alone(model: nn.Module) -> None:
    assert len(make_optimizer(model, Optim()).param_groups) == 1
