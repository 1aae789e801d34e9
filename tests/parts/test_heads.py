"""Means over what is present, unit vectors, and word losses in blocks against plain cross-entropy."""

from __future__ import annotations

import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from vlpbench.parts import Projection, WordTable, masked_mean
from vlpbench.parts.seeds import together

WORDS, WIDTH = 11, 6


@pytest.fixture
def table():
    torch.manual_seed(0)
    return WordTable(WORDS, WIDTH, 1.0)


@pytest.fixture
def features(table):
    return torch.randn(3, 5, WIDTH, requires_grad=True)


@pytest.fixture
def targets(features):
    return torch.randint(WORDS, (3, 5))


def test_masked_mean_by_loop():
    tokens = torch.randn(3, 4, 2)
    present = torch.tensor([[True, False, True, False], [True] * 4, [False, False, False, True]])
    expected = [
        torch.stack([token for token, there in zip(row, mask, strict=True) if there]).mean(0)
        for row, mask in zip(tokens, present, strict=True)
    ]
    assert torch.allclose(masked_mean(tokens, present), torch.stack(expected))
    assert torch.allclose(masked_mean(tokens), tokens.mean(1))


def test_masked_mean_of_nothing_is_zero():
    assert not masked_mean(torch.randn(2, 3, 4), torch.zeros(2, 3, dtype=torch.bool)).any()


def test_projection_has_unit_length_and_ignores_what_is_absent():
    head, tokens = Projection(WIDTH, 4), torch.randn(3, 5, WIDTH)
    present = torch.arange(5) < torch.tensor([[1], [3], [5]])
    vectors = head(tokens, present)
    assert vectors.shape == (3, 4)
    assert torch.allclose(vectors.norm(dim=-1), torch.ones(3))
    garbage = torch.where(present[..., None], tokens, torch.full_like(tokens, 50.0))
    assert torch.allclose(head(garbage, present), vectors)


def test_projection_is_exact_under_autocast():
    head, tokens = Projection(WIDTH, 4), torch.randn(3, 5, WIDTH)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = head(tokens)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, head(tokens))
    with torch.autocast("cpu", torch.bfloat16):
        assert head(tokens.bfloat16()).dtype == torch.float32


def test_one_table_reads_and_writes(table):
    ids = torch.tensor([[3, 0], [7, 7]])
    assert torch.equal(table(ids), table.weight[ids])
    x = torch.randn(2, WIDTH)
    assert torch.allclose(table.logits(x), x @ table.weight.T)
    assert [name for name, _ in table.named_parameters()] == ["weight"]


@pytest.mark.parametrize("rows", [1, 4, 7, 15, 16, 8192])
def test_losses_in_blocks_are_plain_cross_entropy(table, features, targets, rows):
    plain = cross_entropy((features @ table.weight.T).flatten(0, 1), targets.flatten(), reduction="none").view(3, 5)
    expected = torch.autograd.grad(plain.square().sum(), [features, table.weight])
    losses = table.losses(features, targets, rows)
    assert losses.shape == (3, 5)
    assert torch.allclose(losses, plain, atol=1e-6)
    found = torch.autograd.grad(losses.square().sum(), [features, table.weight])
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_losses_of_candidates_keep_their_shape(table):
    assert table.losses(torch.randn(2, 3, 4, WIDTH), torch.zeros(2, 3, 4, dtype=torch.long), 5).shape == (2, 3, 4)


def test_blocks_do_not_keep_their_logits_for_the_gradient(table):
    many, block, kept = 64, 8, []
    x, aims = torch.randn(many, WIDTH, requires_grad=True), torch.zeros(many, dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(lambda one: kept.append(one.numel()) or one, lambda one: one):
        table.losses(x, aims, block).sum()
        in_blocks, kept[:] = max(kept), []
        table.losses(x, aims).sum()
    assert max(kept) == many * WORDS  # all at once keeps them all
    assert in_blocks < many * WORDS / 2


class Watched(TorchDispatchMode):
    """Remembers the largest tensor, and what softmax was computed in."""

    def __init__(self):
        super().__init__()
        self.largest, self.precisions = 0, set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        self.largest = max([self.largest, *(x.numel() for x in tree_leaves(made) if isinstance(x, torch.Tensor))])
        if "softmax" in str(function):
            self.precisions |= {x.dtype for x in tree_leaves(made) if isinstance(x, torch.Tensor)}
        return made


def test_logits_of_all_positions_never_exist_at_once_and_softmax_is_in_fp32(table):
    x, aims = torch.randn(16, 4, WIDTH, requires_grad=True), torch.zeros(16, 4, dtype=torch.long)
    with Watched() as watch, torch.autocast("cpu", torch.bfloat16):
        table.losses(x, aims, 16).sum().backward()
    assert watch.largest == max(16 * WORDS, x.numel())
    assert watch.precisions == {torch.float32}


def test_losses_of_several_models_as_one(table, targets):
    features = torch.randn(2, 3, 5, WIDTH)
    weights = torch.stack([table.weight.detach(), table.weight.detach() + 1]).requires_grad_()

    def asked(weight, x):
        return functional_call(table, {"weight": weight}, (x, targets, 4))

    table.forward = table.losses
    with together([0, 1], torch.device("cpu")):
        found = torch.vmap(asked)(weights, features)
    (gradient,) = torch.autograd.grad(found.square().sum(), weights)
    alone = torch.stack([asked(weight, x) for weight, x in zip(weights, features, strict=True)])
    (expected,) = torch.autograd.grad(alone.square().sum(), weights)
    assert torch.allclose(found, alone, atol=1e-5)
    assert torch.allclose(gradient, expected, atol=1e-4)


def test_losses_without_gradient(table, features, targets):
    with torch.no_grad():
        assert torch.allclose(table.losses(features, targets, 4), table.losses(features, targets), atol=1e-6)


def test_logits_are_single_precision_whatever_the_features_are(table):
    assert table.bfloat16().logits(torch.randn(2, WIDTH, dtype=torch.bfloat16)).dtype == torch.float32
