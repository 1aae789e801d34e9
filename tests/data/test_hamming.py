"""Near codes are found as by comparing all with all."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.data import hamming
from vlpbench.data.hamming import FAR, pairs_within


def all_with_all(left, right):
    """The slow, obvious way."""
    return [(i, j) for j, b in enumerate(right.tolist()) for i, a in enumerate(left.tolist())
            if (a ^ b).bit_count() <= FAR]


def changed(rng, code, bits):
    """A code with this many of its bits turned."""
    turned = rng.permutation(64)[:bits].tolist()
    return code ^ sum(1 << bit for bit in turned)


@pytest.fixture
def some():
    """Codes by chance, and others that differ from them in 0 to 16 bits."""
    rng = np.random.default_rng(5)
    left = rng.integers(0, 2**64, 60, dtype=np.uint64)
    right = [changed(rng, int(left[n % 60]), n % 17) for n in range(170)]
    return left, np.array(right, np.uint64)


@pytest.mark.parametrize("most", [1, 50, 1 << 22])
def test_as_all_with_all(some, monkeypatch, most):
    monkeypatch.setattr(hamming, "_MOST", most)
    left, right = some
    one, other = pairs_within(left, right)
    assert list(zip(one.tolist(), other.tolist(), strict=True)) == all_with_all(left, right)
    assert len(one) >= 120


@pytest.mark.parametrize("spread", [(3, 3, 3, 2), (2, 3, 3, 3), (11, 0, 0, 0), (0, 0, 0, 11)])
def test_every_way_that_eleven_bits_can_lie(spread):
    turned = sum(((1 << bits) - 1) << (16 * band) for band, bits in enumerate(spread))
    found = pairs_within(np.array([turned], np.uint64), np.zeros(1, np.uint64))
    assert [rows.tolist() for rows in found] == [[0], [0]]


def test_twelve_bits_are_too_many():
    far = np.array([(1 << 12) - 1, 0x0007_0007_0007_0007], np.uint64)
    assert pairs_within(far, np.zeros(1, np.uint64))[0].tolist() == []


def test_equal_codes_in_numbers_and_none_at_all():
    one, other = pairs_within(np.full(200, 7, np.uint64), np.full(300, 7, np.uint64))
    assert len(one) == 200 * 300
    assert np.unique(one * 300 + other).size == 200 * 300
    nothing = np.zeros(0, np.uint64)
    for left, right in ((nothing, far := np.zeros(3, np.uint64)), (far, nothing), (nothing, nothing)):
        assert [rows.size for rows in pairs_within(left, right)] == [0, 0]
