"""A prediction belongs to one id: what is missing, extra or doubled is named."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.ids import same_ids, unique


def test_pairs_become_a_mapping_in_their_order() -> None:
    assert list(unique([(9, "a"), (3, "b")]).items()) == [(9, "a"), (3, "b")]


def test_a_doubled_id_is_named() -> None:
    with pytest.raises(UserError, match=r"1 doubled prediction ids: 3"):
        unique([(3, "a"), (4, "b"), (3, "a")])


def test_the_same_ids_in_another_order_are_fine() -> None:
    assert same_ids({1: "a", 2: "b"}.keys(), {2: "c", 1: "d"}.keys(), "image") is None


@pytest.mark.parametrize(
    ("predicted", "wanted", "said"),
    [
        ([1], [1, 2, 3], r"3 images \(2 missing: 2, 3\)"),
        ([1, 2], [1], r"1 images \(1 extra: 2\)"),
        ([7], [8], r"1 missing: 8; 1 extra: 7"),
        ([], list(range(9)), r"0, 1, 2, 3, 4, \.\.\."),
        ([], [], "no image to score"),
    ],
)
def test_other_ids_are_named(predicted: list[int], wanted: list[int], said: str) -> None:
    with pytest.raises(UserError, match=said):
        same_ids(predicted, wanted, "image")


def test_ids_that_are_strings_on_one_side_do_not_match() -> None:
    with pytest.raises(UserError, match="1 missing: 7; 1 extra: '7'"):
        same_ids({"7": "a"}.keys(), {7: "a"}.keys(), "question")  # type: ignore[arg-type]
