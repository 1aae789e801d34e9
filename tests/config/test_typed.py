from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from vlpbench.config.typed import WrongValue, make, plain, required, typed


@dataclass(frozen=True)
class Inner:
    depth: int = 2


@dataclass(frozen=True)
class Config:
    folder: str
    rate: float = 0.5
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    inner: Inner = Inner()
    best: int | None = None

    def __post_init__(self) -> None:
        if self.rate > 2:
            raise ValueError("rate is above 2")


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [(float, 3, 3.0), (int, 3, 3), (bool, True, True), (tuple[str, ...], ["a"], ("a",)), (int | None, None, None),
     (Mapping[str, float], {"a": 1}, {"a": 1.0}), (Literal["a", "b"], "b", "b")],
)
def test_what_fits_is_taken(kind, value, found):
    got = typed(kind, value)
    assert got == found
    assert type(got) is type(found)


@pytest.mark.parametrize(
    ("kind", "value", "said", "remedy"),
    [
        (int, True, "must be a whole number, not true", ""),
        (float, False, "must be a number, not false", ""),
        (bool, 1, "must be true or false, not 1", ""),
        (int, 2.0, "must be a whole number, not 2.0", "without a point"),
        (float, "1e-4", 'must be a number, not "1e-4"', "without quotes"),
        (float, float("nan"), "must be a finite number, not nan", ""),
        (tuple[float, ...], [1.0, float("inf")], "must be a finite number, not inf", ""),
        (str, 3, "must be a text in quotes, not 3", ""),
        (tuple[str, ...], "a", 'must be a list, not "a"', '["a"]'),
        (Literal["test", "val"], "tset", "must be one of 'test', 'val'", "did you mean 'test'?"),
        (int, datetime.date(2024, 1, 2), "must be a whole number", ""),
        (int | None, "x", "must be a whole number or nothing", ""),
    ],
)
def test_what_does_not_fit_is_said_in_words(kind, value, said, remedy):
    with pytest.raises(WrongValue) as caught:
        typed(kind, value)
    assert said in str(caught.value)
    assert remedy in caught.value.remedy


def test_a_config_is_made_from_plain_values_and_back():
    made = make(Config, {"folder": "x", "names": ["a"], "inner": {"depth": 4}, "rate": 1, "files": {"train": "t"}})
    assert made == Config("x", 1.0, "fast", ("a",), {"train": "t"}, Inner(4))
    assert make(Config, plain(made)) == made
    assert required(Config) == ("folder",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "lacks folder"),
        ({"folder": "x", "rat": 1}, "unknown key 'rat'"),
        ({"folder": "x", "rate": 3}, "rate is above 2"),
        ({"folder": 3}, "must be a text in quotes"),
        ({"folder": "x", "inner": 3}, "must be a table"),
    ],
)
def test_a_config_refuses_what_does_not_fit(values, said):
    with pytest.raises(WrongValue, match=said):
        make(Config, values)


def test_plain_is_what_json_has():
    value: Any = {"a": (1, 2), "b": {3, 1}, "c": Inner(), 4: None}
    assert plain(value) == {"a": [1, 2], "b": [1, 3], "c": {"depth": 2}, "4": None}
