"""What is asked for is checked where it is said."""

from __future__ import annotations

from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.results.tables import Asked


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 1.0}, {"alpha": -0.05}, {"decimals": -1}, {"decimals": 7}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"digits|level"):
        Asked(**wrong)


@pytest.mark.parametrize(("wrong", "said"), [
    ({"what": "score"}, "did you mean 'scores'"), ({"bold": "all"}, "known: best, none, significant"),
    ({"spread": "sd"}, "did you mean 'std'"), ({"target": "seed"}, "did you mean 'seeds'"),
])
def test_a_wrong_word_is_told_with_the_right_ones(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        Asked(**wrong)
    assert said in str(caught.value)


def test_a_pivot_has_settings_for_lines_or_columns() -> None:
    assert Asked(rows=("objective",)).is_pivot and Asked(columns=("size",)).is_pivot
    assert not Asked(where={"size": "nano"}).is_pivot
