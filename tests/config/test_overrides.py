from __future__ import annotations

import pytest

from vlpbench.config.overrides import parse_overrides
from vlpbench.config.problems import GridError


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("optim.lr=3e-4", "optim.lr", 3e-4),
        ("seeds=[0, 1]", "seeds", [0, 1]),
        ("objective=contrastive + 2*prefix-lm", "objective", "contrastive + 2*prefix-lm"),
        ("objective=none", "objective", "none"),
        ('data.x.folder="a=b"', "data.x.folder", "a=b"),
        ("blind=true", "blind", True),
        (" 'optim.lr' = 1", "optim.lr", 1),
        ("name=a\nb = 2", "name", "a\nb = 2"),
        ("text.lowercase=", "text.lowercase", ""),
    ],
)
def test_a_value_is_toml_or_else_a_text(text, key, value):
    assert parse_overrides([text]) == {key: value}


def test_the_last_of_a_key_counts():
    assert parse_overrides(["optim.lr=1", "optim.lr=2"]) == {"optim.lr": 2}


def test_what_is_no_override_is_named_all_at_once():
    with pytest.raises(GridError) as caught:
        parse_overrides(["optim.lr", "=3", "a..b=1"])
    assert [problem.place for problem in caught.value.problems] == ["-S optim.lr", "-S =3", "-S a..b=1"]
    assert "write for example -S optim.lr=3e-4" in str(caught.value)
