"""Settings of a protocol that cannot work are refused with the grid, not after all the training."""

from __future__ import annotations

import pytest

from vlpbench.config.asking import unfit
from vlpbench.config.settings import Protocol


@pytest.mark.parametrize(
    ("said", "key", "remedy"),
    [
        ({"beams": 3, "top_p": 0.9}, "top_p", "beams = 1"),
        ({"length_penalty": 1.0}, "length_penalty", "beams to 2"),
        ({"metrics": ("CIDER",)}, "metrics", "did you mean 'CIDEr'?"),
        ({"templates": ("a picture",)}, "templates", "{}"),
        ({"templates": ()}, "templates", "{}"),
    ],
)
def test_what_cannot_work_names_key_and_remedy(said: dict[str, object], key: str, remedy: str) -> None:
    ((found, wrong),) = unfit(Protocol(**said))  # type: ignore[arg-type]
    assert found == key and remedy in wrong.remedy


@pytest.mark.parametrize("said", [{}, {"beams": 3, "length_penalty": 1.0}, {"top_p": 0.9}, {"metrics": ()}])
def test_what_works_is_let_through(said: dict[str, object]) -> None:
    assert not list(unfit(Protocol(**said)))  # type: ignore[arg-type]
