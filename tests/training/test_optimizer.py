"""AdamW: matrices decay, vectors do not, frozen weights are not touched."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vlpbench.config.settings import Optim
from vlpbench.training.optimizer import make_optimizer, optimizer_tensors, restore_optimizer


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


def stepped(model: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    """One step on gradients of chance; the matrix alone has none at even seeds."""
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        gradient = torch.randn_like(parameter)
        parameter.grad = gradient if parameter.requires_grad and (seed % 2 or name != "linear.weight") else None
    optimizer.step()


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_what_it_remembers_goes_from_one_to_another(steps: int) -> None:
    """A step after it was put back is the step that the first would have taken."""
    models = [Mixed().to(memory_format=torch.channels_last) for _ in range(2)]  # type: ignore[call-overload]
    first, second = (make_optimizer(model, Optim(lr=0.1)) for model in models)
    for seed in range(steps):
        stepped(models[0], first, seed)
    kept = optimizer_tensors(first, models[0])
    assert {name.partition("/")[0] for name in kept} == {"step", "exp_avg", "exp_avg_sq"}
    assert ("exp_avg/linear.weight" in kept) is (steps > 1) and "exp_avg/frozen" not in kept
    models[1].load_state_dict(models[0].state_dict())
    restore_optimizer(second, models[1], {name: value.contiguous() for name, value in kept.items()})
    for seed in (steps, steps + 1):
        for model, optimizer in zip(models, (first, second), strict=True):
            stepped(model, optimizer, seed)
    for name, value in models[0].named_parameters():
        assert torch.equal(value, models[1].get_parameter(name)), name


def test_what_it_remembers_is_not_shared() -> None:
    model = Mixed()
    optimizer = make_optimizer(model, Optim(lr=0.1))
    stepped(model, optimizer, 1)
    kept = {name: value.clone() for name, value in optimizer_tensors(optimizer, model).items()}
    given = {name: value.clone() for name, value in kept.items()}
    restore_optimizer(optimizer, model, given)
    stepped(model, optimizer, 3)
    assert all(torch.equal(value, kept[name]) for name, value in given.items())


def test_nothing_is_remembered_before_the_first_step() -> None:
    model = Mixed()
    assert optimizer_tensors(make_optimizer(model, Optim()), model) == {}
