"""What the registry would refuse, the kit says with the same cause and remedy."""

from __future__ import annotations

import pytest

from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.testing import CheckFailed
from vlpbench.testing.declared import check_declared


class Shouting(PrefixLM):
    name = "SHOUTING"


def test_a_right_class_passes_and_a_wrong_one_is_told_why():
    assert check_declared("objective", PrefixLM) is None
    with pytest.raises(CheckFailed, match="is 'SHOUTING'") as caught:
        check_declared("objective", Shouting)
    assert "lower-case" in caught.value.remedy
    with pytest.raises(CheckFailed, match="no subclass of Stem"):
        check_declared("stem", PrefixLM)
