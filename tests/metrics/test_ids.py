"""A prediction belongs to one id: what is missing, extra or doubled is named."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.ids import listed, only_strings, same_ids, unique


def test_pairs_become_a_mapping_in_their_order() -> None:
    assert list(unique([(9, "a"), (3, "b")]).items()) == [(9, "a"), (3, "b")]


def test_a_doubled_id_is_named() -> None:
    with pytest.raises(UserError, match=r"1 doubled prediction ids: 3"):
        unique([(3, "a"), (4, "b"), (3, "a")])
    with pytest.raises(UserError, match=r"2 doubled image ids: 3, 'v7'"):
        unique([("v7", 1), (3, 1), (3, 1), ("v7", 1), ("v7", 1)], "image")


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
    with pytest.raises(UserError, match="1 missing: 7; 1 extra: '7'") as caught:
        same_ids({"7": "a"}.keys(), {7: "a"}.keys(), "question")
    assert caught.value.remedy.startswith("write the ids alike")


def test_what_should_fit_is_named() -> None:
    with pytest.raises(UserError, match="the right choices are not those of the 1 questions") as caught:
        same_ids(["b"], ["a"], "question", given="right choices")
    assert caught.value.remedy == "give exactly one right choice for each question of the split"


def test_predictions_that_are_no_strings_are_named() -> None:
    assert only_strings({1: "a", "b": ""}, "image") is None
    with pytest.raises(UserError, match=r"^the prediction for image 'b' is None, not a string"):
        only_strings({1: "a", "b": None}, "image")  # type: ignore[dict-item]
    with pytest.raises(UserError, match=r"^7 predictions .* \(images 1, 2, 3, 4, 5, \.\.\.\): the first is b'1'"):
        only_strings({i: str(i).encode() for i in range(7, 0, -1)}, "image")  # type: ignore[misc]


def test_numbers_are_listed_before_strings() -> None:
    assert listed(["10", 10, "9", 9]) == "9, 10, '10', '9'"
