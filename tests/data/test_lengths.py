"""A batch is cut to the shortest of few lengths that loses no token."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.data.lengths import few, shortest, spared


@pytest.mark.parametrize(
    ("length", "found"),
    [
        (2, (2,)), (8, (8,)), (9, (8, 9)), (24, (8, 16, 24)), (30, (8, 16, 24, 30)),
        (64, (8, 16, 24, 32, 40, 48, 56, 64)), (65, (16, 32, 48, 64, 65)), (512, tuple(range(64, 513, 64))),
    ],
)
def test_lengths_are_few_and_the_last_is_the_whole(length: int, found: tuple[int, ...]) -> None:
    assert few(length) == found


def test_there_are_never_more_than_eight_lengths() -> None:
    for length in range(2, 300):
        assert 1 <= len(few(length)) <= 8 and list(few(length)) == sorted(set(few(length)))


def test_what_is_spared_is_a_share_of_all_padding() -> None:
    assert spared([(3, 10), (2, 10)]) == 0.75
    assert spared([(4, 4)]) == spared([(0, 0)]) == spared([]) == 0.0


@pytest.mark.parametrize(
    ("longest", "found"), [(0, 8), (1, 8), (8, 8), (9, 16), (16, 16), (17, 24), (25, 30), (30, 30)]
)
def test_the_longest_text_decides(longest: int, found: int) -> None:
    mask = np.arange(30) < np.array([[0], [longest], [longest // 2]])
    assert shortest(mask) == found
