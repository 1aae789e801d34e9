"""What is no list of captions with references is refused before a program starts."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.external.segments import check_segments


def test_captions_with_references_pass():
    assert check_segments("METEOR", ["", "a dog"], [["x"], ("a", "")]) is None


@pytest.mark.parametrize(
    ("said", "given", "words"),
    [
        ([], [], "0 captions, 0 lists"),
        (["a"], [], "1 captions, 0 lists"),
        (["a"], [["b"], ["c"]], "1 captions, 2 lists"),
        ("a", [["b"]], "not a string"),
        (["a", "b"], [["c"], []], r"caption 1 \(counted from 0\)"),
        (["a"], ["a dog"], r"caption 0 \(counted from 0\)"),
    ],
)
def test_what_does_not_fit_is_named(said, given, words):
    with pytest.raises(UserError, match=words) as caught:
        check_segments("SPICE", said, given)
    assert caught.value.cause.startswith("SPICE") and caught.value.remedy
