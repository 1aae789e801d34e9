"""Names and numbers in a sentence can be told apart."""

from __future__ import annotations

import pytest

from vlpbench.results.listed import listed, of_most, spans


def test_a_name_with_a_comma_reads_as_one() -> None:
    assert listed(["decoder-only", "decoder-only, LM", "conv2"]) == "decoder-only, 'decoder-only, LM', conv2"
    assert listed([]) == ""


@pytest.mark.parametrize(("numbers", "said"), [
    ([], ""), ([3], "3"), ([0, 1], "0, 1"), ([0, 1, 2], "0–2"), ([0, 1, 2, 3, 4, 7, 8, 10], "0–4, 7, 8, 10"),
    ([7, 14, 15, 16], "7, 14–16"),
])
def test_runs_are_told_by_their_ends(numbers: list[int], said: str) -> None:
    assert spans(numbers) == said


def test_the_way_of_most_rows() -> None:
    assert of_most({"so": ["a", "b"]}) == "so"
    assert of_most({"other": ["c"], "so": ["a", "b"]}) == "so (2 of 3 rows)"
    assert of_most({"first": ["a"], "second": ["b"]}) == "differs by row"
