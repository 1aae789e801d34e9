from __future__ import annotations

import pytest

from vlpbench.config.sums import format_sum, names_of, parse_sum
from vlpbench.errors import UserError


@pytest.mark.parametrize(
    ("text", "terms", "canonical"),
    [
        ("contrastive", ((1.0, "contrastive"),), "contrastive"),
        ("contrastive + 2*language-model", ((1.0, "contrastive"), (2.0, "language-model")), None),
        ("  0.5 * a+b ", ((0.5, "a"), (1.0, "b")), "0.5*a + b"),
        ("1e-2*a + 1e+3*b", ((0.01, "a"), (1000.0, "b")), "0.01*a + 1000*b"),
        ("2.0*a", ((2.0, "a"),), "2*a"),
        ("1*a", ((1.0, "a"),), "a"),
        ("none", ((1.0, "none"),), "none"),
        ("2*mae-2e + x", ((2.0, "mae-2e"), (1.0, "x")), None),
    ],
)
def test_sums_are_read_and_written_in_one_way(text, terms, canonical):
    assert parse_sum(text) == terms
    assert format_sum(terms) == (canonical or text)
    assert parse_sum(format_sum(terms)) == terms


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it ends where the name"),
        ("+", "'+' stands where the name"),
        ("2 *", "it ends where the name"),
        ("a +", "it ends where the name"),
        ("a b", "'b' stands where '+' should"),
        ("a * 2", "'* 2' stands where '+' should"),
        ("0*a", "weight 0 in objective"),
        ("-1*a", "weight -1 in objective"),
        ("1e999*a", "is not above zero"),
        ("a - b", "'- b' stands where '+' should"),
        ("a + a", "names 'a' twice"),
        ("a + 2*a", "names 'a' twice"),
        ("none + a", "stands alone"),
        ("a + none", "stands alone"),
        ("2*none", "stands alone"),
    ],
)
def test_what_is_no_sum_is_said(text, said):
    with pytest.raises(UserError, match=said.replace("*", r"\*").replace("+", r"\+")):
        parse_sum(text)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UserError) as caught:
        parse_sum("contrastive + prefixlm", known=["contrastive", "prefix-lm"])
    assert "unknown objective 'prefixlm'" in str(caught.value)
    assert "did you mean 'prefix-lm'?" in caught.value.remedy


def test_messages_say_what_the_sum_is_about():
    for text, said in [
        ("web coco", "data set 'web coco': 'coco' stands where"), ("0*web", "in data set"), ("web +", "of a data set"),
        ("web + web", "data set 'web + web' names 'web' twice"), ("none + web", "has no samples and stands alone"),
    ]:
        with pytest.raises(UserError) as caught:
            parse_sum(text, what="data set")
        assert said in str(caught.value)
    with pytest.raises(UserError, match="unknown data set 'coko'") as caught:
        parse_sum("coko", known=["coco"], what="data set")
    assert "did you mean 'coco'?" in caught.value.remedy


def test_names_stand_alone_and_none_is_no_name():
    assert names_of("web + 2*coco", "data set") == ("web", "coco")
    assert names_of("none") == ()
