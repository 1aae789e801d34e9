"""No casts where none are wanted, and no complaint on shapes alone."""

from __future__ import annotations

import torch

from vlpbench.parts.heads import Projection
from vlpbench.parts.precision import full_precision


def test_mixed_precision_is_off_inside_and_on_again_behind() -> None:
    a = torch.randn(4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        with full_precision(a):
            assert (a @ a).dtype == torch.float32
        assert (a @ a).dtype == torch.bfloat16


def test_shapes_alone_pass() -> None:
    with torch.device("meta"):
        made = Projection(8, 4)(torch.empty(2, 3, 8))
    assert made.shape == (2, 4)
    assert made.is_meta
