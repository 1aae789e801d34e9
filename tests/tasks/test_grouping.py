"""Pairs in groups of one picture: each in its place, few places in vain."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.tasks.grouping import SPARE, Groups


def pairs_of(many: list[int], seed: int = 0) -> np.ndarray:
    """So many pairs of each picture, in any order; texts from 100 on."""
    rng = np.random.default_rng(seed)
    picture = np.repeat(np.arange(len(many)) * 3 + 1, many)
    return rng.permutation(np.stack([picture, 100 + rng.permutation(len(picture))], 1))


@pytest.mark.parametrize("most", [1, 2, 7, 32])
@pytest.mark.parametrize("many", [[1], [5], [3, 0, 4], [64, 31, 33, 1], [256] * 4, [1] * 9], ids=str)
def test_every_pair_has_its_place(many: list[int], most: int) -> None:
    pairs = pairs_of(many)
    groups = Groups.of(pairs, most)
    wide = groups.texts.shape[1]
    assert wide <= most and len(groups.picture) == len(groups.texts)
    assert len(set(groups.place)) == len(pairs), "no two in one"
    assert (groups.texts.ravel()[groups.place] == pairs[:, 1]).all()
    assert (groups.picture[groups.place // wide] == pairs[:, 0]).all()
    assert groups.texts.size <= (1 + SPARE) * len(pairs) or wide == 1


def test_what_is_left_over_says_a_text_of_its_group_again() -> None:
    pairs = np.array([[4, number] for number in range(127)])
    groups = Groups.of(pairs, 32)
    assert groups.texts.shape == (4, 32)
    assert groups.texts[3].tolist() == [*range(96, 127), 96]


def test_groups_are_as_wide_as_pays() -> None:
    assert Groups.of(pairs_of([320, 640]), 32).texts.shape == (30, 32)
    assert Groups.of(pairs_of([1] * 20), 32).texts.shape == (20, 1)
    assert Groups.of(pairs_of([33, 33]), 32).texts.shape[1] == 2, "four wide leave six places empty"
    assert Groups.of(pairs_of([3, 3]), 2).texts.shape[1] == 1


def test_a_pair_that_is_given_twice_is_judged_twice() -> None:
    groups = Groups.of(np.array([[5, 9], [5, 9], [5, 2], [7, 9]]), 1)
    assert groups.texts.ravel()[groups.place].tolist() == [9, 9, 2, 9]
    assert len(set(groups.place)) == 4


def test_no_pair_makes_no_group() -> None:
    groups = Groups.of(np.zeros((0, 2), np.int64), 32)
    assert groups.texts.shape[0] == 0 and len(groups.place) == 0
