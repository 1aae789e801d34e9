"""Settings of a search that mean nothing are refused."""

from __future__ import annotations

from typing import Any

import pytest

from vlpbench.tasks.search import Search


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"beams": 0}, "beams is a number of sentences"),
        ({"top_p": 1.5}, "top_p is a probability"),
        ({"top_p": -0.1}, "top_p is a probability"),
        ({"top_p": 0.9, "beams": 2}, "draws one sentence"),
        ({"temperature": 0.0, "top_p": 0.9}, "above 0"),
        ({"temperature": 0.5}, "set top_p"),
        ({"no_repeat": -1}, "numbers of words"),
        ({"least": -1}, "numbers of words"),
        ({"length_penalty": 1.0}, "one beam finishes only one"),
    ],
)
def test_settings_that_mean_nothing(settings: dict[str, Any], cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        Search(**settings)


def test_the_default_is_greedy_without_any_rule() -> None:
    assert Search() == Search(beams=1, length_penalty=0, no_repeat=0, top_p=0, temperature=1, seed=0, least=0)
    assert Search(beams=3, length_penalty=-0.5).length_penalty == -0.5
