"""An error a user can act on says the cause, the place and what to do."""

from __future__ import annotations

import pytest

from vlpbench.data.errors import DataError
from vlpbench.errors import UserError, nearest, unknown


def test_the_text_has_three_parts_and_no_empty_one() -> None:
    assert str(UserError("it broke", "grid.toml, line 3", "mend it")) == (
        "it broke\n  where: grid.toml, line 3\n  to do: mend it"
    )
    assert str(UserError("it broke")) == "it broke"
    assert str(UserError("it broke", remedy="mend it")) == "it broke\n  to do: mend it"


def test_the_parts_can_be_read() -> None:
    error = UserError("cause", "place", "remedy")
    assert (error.cause, error.place, error.remedy) == ("cause", "place", "remedy")
    assert error.args == ("cause",)


def test_every_kind_has_an_exit_code() -> None:
    assert UserError("x").exit_code == 2
    assert DataError("x").exit_code == 2
    assert issubclass(DataError, UserError)


@pytest.mark.parametrize(
    ("name", "near"), [("contrastve", "contrastive"), ("prefixlm", "prefix-lm"), ("", None), ("zzz", None)]
)
def test_the_nearest_name(name: str, near: str | None) -> None:
    assert nearest(name, ["none", "contrastive", "prefix-lm"]) == near


def test_an_unknown_name_gets_the_nearest_and_all_others() -> None:
    error = unknown("task", "vaq", iter(["vqa", "captioning"]), "grid.toml")
    assert error.cause == "unknown task 'vaq'"
    assert error.place == "grid.toml"
    assert error.remedy == "did you mean 'vqa'? known: captioning, vqa"


def test_an_unknown_name_where_nothing_is_known() -> None:
    assert unknown("plugin", "x", []).remedy == "known: none"
