"""The contrastive formula: CLIP's is its case of identity targets; the others are other targets, weights and rows."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from vlpbench.parts import two_sided_cross_entropy

N = 6


@pytest.fixture
def logits():
    torch.manual_seed(0)
    return 3 * torch.randn(N, N, dtype=torch.float64)


@pytest.fixture
def one_hot():
    return torch.eye(N, dtype=torch.float64)


def soft(*shape):
    return torch.randn(*shape, dtype=torch.float64).softmax(-1)


def test_identity_targets_are_clip(logits, one_hot):
    aims = torch.arange(N)
    clip = (cross_entropy(logits, aims) + cross_entropy(logits.T, aims)) / 2
    rows = two_sided_cross_entropy(logits, logits.T, one_hot, one_hot)
    assert rows.shape == (N,)
    assert torch.allclose(rows.mean(), clip)


def test_soft_targets_of_two_matrices_that_are_no_transposes(logits):
    other, to_text, to_image = torch.randn(N, N, dtype=torch.float64), soft(N, N), soft(N, N)
    expected = [
        -sum(to_text[i, j] * (logits[i, j] - logits[i].logsumexp(0)) for j in range(N)) / 2
        - sum(to_image[i, j] * (other[i, j] - other[i].logsumexp(0)) for j in range(N)) / 2
        for i in range(N)
    ]
    assert torch.allclose(two_sided_cross_entropy(logits, other, to_text, to_image), torch.stack(expected))


def test_smoothed_targets_are_label_smoothing(logits, one_hot):
    smooth, aims = 0.9 * one_hot + 0.1 / N, torch.arange(N)
    expected = sum(cross_entropy(x, aims, label_smoothing=0.1) for x in (logits, logits.T)) / 2
    assert torch.allclose(two_sided_cross_entropy(logits, logits.T, smooth, smooth).mean(), expected)


def test_labels_that_are_all_different_are_clip(logits, one_hot):
    labels = torch.randperm(N)
    same = (labels[:, None] == labels[None]).double()
    found = two_sided_cross_entropy(logits, logits.T, same / same.sum(1, keepdim=True), same)
    assert torch.allclose(found, two_sided_cross_entropy(logits, logits.T, one_hot, one_hot))


def test_a_mixed_target_is_the_mixed_loss(logits, one_hot):
    flipped, share = one_hot.flip(0), 0.3
    mixed = share * one_hot + (1 - share) * flipped
    parts = [two_sided_cross_entropy(logits, logits.T, one, one) for one in (one_hot, flipped)]
    assert torch.allclose(
        two_sided_cross_entropy(logits, logits.T, mixed, mixed), share * parts[0] + (1 - share) * parts[1]
    )


def test_weights_scale_samples(logits, one_hot):
    weights = torch.tensor([0.0, 1.0, 2.0, 0.5, 1.0, 0.0], dtype=torch.float64)
    plain = two_sided_cross_entropy(logits, logits.T, one_hot, one_hot)
    assert torch.allclose(two_sided_cross_entropy(logits, logits.T, one_hot, one_hot, weights), weights * plain)


def test_queues_make_rows_longer_each_side_its_own():
    texts, pictures = torch.randn(N, N + 4, dtype=torch.float64), torch.randn(N, N + 7, dtype=torch.float64)
    to_text, to_image = torch.eye(N, N + 4, dtype=torch.float64), torch.eye(N, N + 7, dtype=torch.float64)
    aims = torch.arange(N)
    expected = (cross_entropy(texts, aims, reduction="none") + cross_entropy(pictures, aims, reduction="none")) / 2
    assert torch.allclose(two_sided_cross_entropy(texts, pictures, to_text, to_image), expected)


def test_a_row_of_each_side_for_every_sample(logits, one_hot):
    with pytest.raises(ValueError, match="1 pictures against 6 texts"):
        two_sided_cross_entropy(logits[:1], logits, one_hot[:1], one_hot)


def test_minus_infinity_takes_a_negative_out_of_the_choice(logits, one_hot):
    hidden = logits.clone()
    hidden[:, -1], hidden[-1, :] = -math.inf, -math.inf
    hidden[-1, -1] = 0.0
    hidden.requires_grad_()
    rows = two_sided_cross_entropy(hidden, hidden.T, one_hot, one_hot)
    fewer, few = logits[:-1, :-1], one_hot[:-1, :-1]
    assert torch.allclose(rows[:-1], two_sided_cross_entropy(fewer, fewer.T, few, few))
    rows.sum().backward()
    assert torch.isfinite(hidden.grad).all()


def test_a_constant_added_to_a_row_changes_nothing(logits, one_hot):
    shifted = two_sided_cross_entropy(logits + 5.0, logits.T - 7.0, one_hot, one_hot)
    assert torch.allclose(shifted, two_sided_cross_entropy(logits, logits.T, one_hot, one_hot))


def test_soft_targets_may_be_learnt_too(logits):
    targets = soft(N, N).requires_grad_()
    two_sided_cross_entropy(logits, logits.T, targets, targets).sum().backward()
    assert torch.isfinite(targets.grad).all() and (targets.grad != 0).all()
