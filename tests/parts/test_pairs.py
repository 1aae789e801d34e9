"""Which pairs belong together, and targets that are spread over them."""

from __future__ import annotations

import pytest
import torch

from vlpbench.parts import same, single, spread, two_sided_cross_entropy


def test_equal_numbers_belong_together():
    ids = torch.tensor([7, 3, 7, 5])
    expected = [[a == b for b in ids.tolist()] for a in ids.tolist()]
    assert same(ids).dtype == torch.bool and same(ids).tolist() == expected


def test_alone_each_row_has_itself_whatever_is_equal():
    assert torch.equal(single(torch.tensor([7, 3, 7, 5])), torch.eye(4, dtype=torch.bool))
    assert torch.equal(same(torch.arange(5)), single(torch.zeros(5)))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_targets_are_spread_evenly(smoothing):
    positives = torch.tensor([[True, False, True, False], [False, True, False, False]])
    found = spread(positives, smoothing)
    for row, own in zip(found.tolist(), positives.tolist(), strict=True):
        for value, is_positive in zip(row, own, strict=True):
            assert value == pytest.approx((1 - smoothing) * is_positive / sum(own) + smoothing / 4)
    assert torch.allclose(found.sum(1), torch.ones(2))


def test_with_each_row_alone_it_is_label_smoothing():
    found, e, n = spread(single(torch.arange(6)), 0.1), 0.1, 6
    assert torch.allclose(found, (1 - e) * torch.eye(n) + e / n)
    logits = torch.randn(n, n)
    ours = two_sided_cross_entropy(logits, logits.T, found, found).mean()
    torchs = sum(
        torch.nn.functional.cross_entropy(one, torch.arange(n), label_smoothing=e) for one in (logits, logits.T)
    )
    assert torch.allclose(ours, torchs / 2)


def test_a_row_without_a_positive_is_told_by_its_numbers():
    found = spread(torch.tensor([[False, False], [True, False]]))
    assert found[0].isnan().all() and found[1].tolist() == [1.0, 0.0]
