"""Siamese views: batch norm against torch's, the formula by loop, and no gradient through what is predicted."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize
from vlpbench_contrastive.simsiam import BatchStatistics, Siamese

B, E, HIDDEN, BOTTLENECK = 7, 5, 12, 6


@pytest.fixture
def siamese():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Siamese(E, HIDDEN, BOTTLENECK)


@pytest.fixture
def views():
    rng = torch.Generator().manual_seed(1)
    first = torch.randn(B, E, generator=rng)
    return first, first + 0.3 * torch.randn(B, E, generator=rng)


def slow_norm(rows, norm):
    columns = []
    for d in range(rows.shape[1]):
        mean = sum(rows[:, d]) / len(rows)
        variance = sum((x - mean) ** 2 for x in rows[:, d]) / len(rows)
        shift = 0.0 if norm.bias is None else norm.bias[d]
        normal = torch.stack([(x - mean) / (variance + 1e-5).sqrt() for x in rows[:, d]])
        columns.append(normal * norm.weight[d] + shift)
    return torch.stack(columns, 1)


def slow_mlp(rows, layers):
    for layer in layers:
        rows = slow_norm(rows, layer) if isinstance(layer, BatchStatistics) else layer(rows)
    return rows


def cosine(a, b):
    return (a @ b) / (a.norm() * b.norm())


def test_batch_norm_is_torchs_own(views):
    ours, theirs = BatchStatistics(E), nn.BatchNorm1d(E)
    with torch.no_grad():
        for one in (ours, theirs):
            one.weight.copy_(torch.arange(1.0, E + 1))
            one.bias.copy_(torch.arange(E) / 3)
    made = []
    for norm in (ours, theirs):
        given = views[0].clone().requires_grad_()
        out = norm(given)
        (out**3).sum().backward()
        made.append((out, given.grad, norm.weight.grad, norm.bias.grad))
    for found, expected in zip(*made, strict=True):
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_nothing_is_kept_between_calls(siamese, views):
    assert not list(siamese.buffers())
    apart = siamese(*views)
    siamese(views[0] + 5, views[1] * 3)
    assert torch.equal(siamese(*views), apart) and torch.equal(siamese.eval()(*views), apart)


def test_the_formula_by_loop(siamese, views):
    with torch.no_grad():
        found = siamese(*views)
        z1, z2 = (slow_mlp(one, siamese.project) for one in views)
        p1, p2 = (slow_mlp(one, siamese.predict) for one in (z1, z2))
    for i in range(B):
        expected = -(cosine(p1[i], z2[i]) + cosine(p2[i], z1[i])) / 2
        assert found[i].item() == pytest.approx(expected.item(), abs=1e-5)


def test_no_gradient_through_what_is_predicted(siamese, views):
    """As if both targets had been numbers from the beginning."""
    twin = copy.deepcopy(siamese)
    siamese(*views).sum().backward()
    with torch.no_grad():
        z1, z2 = (normalize(twin.project(one), dim=1) for one in views)
    p1, p2 = (normalize(twin.predict(twin.project(one)), dim=1) for one in views)
    (-(p1 * z2 + p2 * z1).sum() / 2).backward()
    for (name, weight), other in zip(siamese.named_parameters(), twin.parameters(), strict=True):
        assert torch.allclose(weight.grad, other.grad, atol=1e-5), name


def test_the_order_of_views_does_not_matter(siamese, views):
    assert torch.allclose(siamese(*views), siamese(*views[::-1]))


def test_a_batch_of_one_and_a_batch_of_equals_are_finite(siamese, views):
    for given in (views[0][:1], views[0][:1].expand(4, E)):
        given = given.clone().requires_grad_()
        losses = siamese(given, given)
        losses.sum().backward()
        assert torch.isfinite(losses).all() and torch.isfinite(given.grad).all()


def test_three_layers_and_two_with_batch_norm(siamese):
    linear = [(one.in_features, one.out_features) for one in siamese.modules() if isinstance(one, nn.Linear)]
    assert linear == [(E, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, BOTTLENECK), (BOTTLENECK, HIDDEN)]
    assert sum(isinstance(one, BatchStatistics) for one in siamese.modules()) == 4
