"""Batch norm that stands in for another one: the same numbers in one process, the very same tensors.

(Two processes: tests/training/test_parallel.py.)
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vlpbench.parts import ranks
from vlpbench.parts.joint_norm import JointBatchNorm


def spread(norm: nn.BatchNorm2d) -> JointBatchNorm:
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2.0)
        norm.bias.normal_()
    return JointBatchNorm(norm)


@pytest.mark.parametrize("training", [True, False])
def test_one_process_has_what_torch_has(training: bool) -> None:
    torch.manual_seed(0)
    plain, twin = nn.BatchNorm2d(5), nn.BatchNorm2d(5)
    joint = spread(twin)
    plain.load_state_dict(twin.state_dict())
    x = torch.randn(4, 5, 3, 3)
    torch.testing.assert_close(joint.train(training)(x), plain.train(training)(x))
    for ours, theirs in zip(twin.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("shape", "momentum"), [((6, 5), 0.1), ((6, 5, 4), None), ((3, 5, 2, 2), 0.3)])
def test_its_own_formula_is_torchs(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], momentum: float | None
) -> None:
    """Sums over processes that are the identity leave the formula by itself: values, gradients, running statistics."""
    torch.manual_seed(1)
    plain, twin = ({2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)](5, momentum=momentum)
                   for _ in range(2))
    joint = JointBatchNorm(twin)
    for name in ("total", "summed"):
        monkeypatch.setattr(ranks, name, lambda value: value)
    monkeypatch.setattr(ranks, "many", lambda: 2)
    for _ in range(3):
        ours, theirs = (torch.randn(shape, requires_grad=True) for _ in range(2))
        theirs.data.copy_(ours.data)
        weights = torch.randn(shape)
        (joint(ours) * weights).sum().backward()
        (plain(theirs) * weights).sum().backward()
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)
    for mine, other in zip(twin.state_dict().values(), plain.state_dict().values(), strict=True):
        torch.testing.assert_close(mine, other)
    torch.testing.assert_close(twin.weight.grad, plain.weight.grad, rtol=1e-4, atol=1e-5)


def test_weights_and_buffers_are_the_norms_own() -> None:
    norm = nn.BatchNorm2d(5)
    joint = JointBatchNorm(norm)
    assert joint.weight is norm.weight and joint.running_mean is norm.running_mean
    assert [*joint.state_dict()] == [*norm.state_dict()]
    norm.running_var = torch.full((5,), 3.0)
    assert joint.running_var is norm.running_var, "what is put in a buffer's place meanwhile, too"


def test_without_weights_or_statistics() -> None:
    x = torch.randn(4, 5, 3, 3)
    norm = nn.BatchNorm2d(5, affine=False, track_running_stats=False)
    torch.testing.assert_close(JointBatchNorm(norm)(x), norm(x))


def test_a_row_of_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="samples and channels"):
        JointBatchNorm(nn.BatchNorm2d(5))(torch.zeros(5))
