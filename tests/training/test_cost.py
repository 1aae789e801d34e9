"""Counted operations against a count by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vlpbench.training.cost import counted_flops, parameters


@pytest.mark.parametrize(("batch", "wide", "out"), [(4, 7, 3), (1, 1, 1), (5, 16, 2)])
def test_a_linear_map(batch: int, wide: int, out: int) -> None:
    """Forward B*I*O multiplies and as many adds; the weight's gradient the same; the input needs none."""
    model = nn.Linear(wide, out)
    with counted_flops() as flops:
        model(torch.randn(batch, wide)).sum().backward()
    assert flops() == 2 * (2 * batch * wide * out)


def test_two_layers_need_the_gradient_between_them() -> None:
    model = nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.LayerNorm(6), nn.Linear(6, 2))
    with counted_flops() as flops:
        model(torch.randn(3, 5)).sum().backward()
    first, second = 2 * 3 * 5 * 6, 2 * 3 * 6 * 2
    assert flops() == (2 * first) + (3 * second)  # the first layer's input has no gradient


def test_a_convolution() -> None:
    model = nn.Conv2d(3, 4, 2, stride=2, bias=False)
    with counted_flops() as flops, torch.no_grad():
        model(torch.randn(2, 3, 8, 8))
    assert flops() == 2 * (2 * 4 * 4 * 4) * (3 * 2 * 2)


def test_nothing_is_counted_outside() -> None:
    with counted_flops() as flops:
        pass
    nn.Linear(3, 3)(torch.randn(1, 3))
    assert flops() == 0


def test_parameters_are_those_that_are_trained() -> None:
    model = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Linear(6, 2, bias=False))
    assert parameters(model) == (5 * 6 + 6) + 12 + 12
    model[0].weight.requires_grad = False
    assert parameters(model) == 6 + 12 + 12
