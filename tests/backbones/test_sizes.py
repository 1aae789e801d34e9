"""Sizes: SimVLM's depths and widths, and shares that come out even."""

from __future__ import annotations

import pytest

from vlpbench.backbones.sizes import SIZES


def test_simvlm():
    found = {name: (size.encoder, size.decoder, size.width, size.heads) for name, size in SIZES.items()}
    assert found | {
        "small": (8, 8, 512, 8), "base": (12, 12, 768, 12), "large": (24, 24, 1024, 16), "huge": (32, 32, 1280, 16),
    } == found
    assert [SIZES[name].stages for name in ("base", "large", "huge")] == [(3, 4, 23, 3), (3, 8, 36, 3), (3, 8, 36, 3)]


def test_from_small_to_large():
    assert list(SIZES) == ["nano", "tiny", "small", "base", "large", "huge"]
    widths = [size.width for size in SIZES.values()]
    assert widths == sorted(widths)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_shares_come_out_even(size):
    assert size.width % size.heads == 0
    assert all(leaving % (4 if size.bottleneck else 1) == 0 for leaving in size.channels)
    assert size.channels[0] % 2 == 0  # half of them leave the first convolution of a deep stem
    assert size.batch_norm == (size.name == "nano")  # group norm was measured to learn far slower there
