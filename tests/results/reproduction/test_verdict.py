"""The rule, at its edges."""

from __future__ import annotations

import math

import pytest

from vlpbench.results.reproduction import VERDICTS, verdict
from vlpbench.results.reproduction.verdict import is_within


@pytest.mark.parametrize(
    ("published", "low", "high", "said"),
    [
        (-2.0, -3.0, -0.1, "reproduced"), (2.0, 0.1, 3.0, "reproduced"),
        (-2.0, 0.1, 3.0, "opposite"), (2.0, -3.0, -0.1, "opposite"),
        (-2.0, -3.0, 0.1, "not shown"), (2.0, -3.0, 0.0, "not shown"), (2.0, 0.0, 3.0, "not shown"),
        (0.0, 1.0, 2.0, "no sign"), (0.0, -1.0, 2.0, "no sign"),
        (2.0, math.nan, math.nan, "no interval"), (0.0, math.nan, math.nan, "no interval"),
    ],
)
def test_the_rule(published, low, high, said):
    assert verdict(published, low, high) == said and said in VERDICTS


def test_turning_all_signs_changes_no_verdict():
    ends = (-2.0, -0.5, 0.0, 0.5, 2.0)
    for published in (-1.0, 0.0, 1.0):
        for low, high in [(low, high) for low in ends for high in ends if low < high]:
            assert verdict(published, low, high) == verdict(-published, -high, -low)


def test_within_a_margin():
    assert is_within(1.0, -1.0, 1.0) and is_within(1.0, 0.2, 0.4)
    assert not is_within(1.0, -1.1, 0.5) and not is_within(1.0, -0.5, 1.1) and not is_within(None, 0.0, 0.0)
    assert not is_within(1.0, math.nan, math.nan)
