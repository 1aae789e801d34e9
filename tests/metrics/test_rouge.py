"""ROUGE-L: the subsequence against the usual table, and the F of two best halves."""

from __future__ import annotations

import random

import pytest

from vlpbench.metrics.rouge import BETA, rouge_l, subsequence


def by_table(one: list[str], other: list[str]) -> int:
    """The textbook's table, a row at a time."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = row
        row = [0]
        for at, mate in enumerate(other):
            row.append(before[at] + 1 if word == mate else max(before[at + 1], row[at]))
    return row[-1]


@pytest.mark.parametrize("words", [1, 2, 5, 40])
def test_the_longest_common_subsequence(words: int) -> None:
    rng = random.Random(words)
    names = [f"w{n}" for n in range(words)]
    for _ in range(200):
        one, other = (rng.choices(names, k=rng.choice([0, 1, 2, 7, 30, 90])) for _ in range(2))
        assert subsequence(one, other) == by_table(one, other) == subsequence(other, one)


def f_score(precision: float, recall: float) -> float:
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def test_recall_weighs_more() -> None:
    mean, each = rouge_l(["a b c x"], [["a b y c d"]])
    assert mean == each[0] == pytest.approx(f_score(3 / 4, 3 / 5))
    assert rouge_l(["a b"], [["a b c d"]])[0] < rouge_l(["a b c d"], [["a b"]])[0] == pytest.approx(f_score(0.5, 1))


def test_precision_and_recall_may_come_from_two_references() -> None:
    # All words said are in the first reference, all of the second were said: 1, though neither was said.
    assert rouge_l(["a b c"], [["a b c d e f", "b"]])[0] == pytest.approx(1)


def test_an_empty_caption_is_one_token() -> None:
    assert rouge_l(["", "", "a"], [[""], ["a"], [""]])[1].tolist() == [1, 0, 0]


def test_captions_part_at_single_spaces_only() -> None:
    assert rouge_l(["22\xa03/4 in"], [["22 3/4 in"]])[0] == pytest.approx(f_score(1 / 2, 1 / 3))
    assert rouge_l(["22\xa03/4"], [["22\xa03/4"]])[0] == pytest.approx(1)


def test_the_set_is_the_mean_of_its_images() -> None:
    mean, each = rouge_l(["a", "b", "a b"], [["a"], ["c"], ["b", "c b"]])
    assert each.tolist() == pytest.approx([1, 0, f_score(1 / 2, 1)])
    assert mean == pytest.approx(sum(each) / 3)


def test_both_sides_are_of_the_same_images() -> None:
    with pytest.raises(ValueError, match="zip"):
        rouge_l(["a", "b"], [["a"]])
