"""Orders that read a few larger files at a time: every example once, windows of files, a function of the chance."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.data.lying import Lying, Runs, lying_in, windowed_permutation
from vlpbench.data.order import drawn

RUNS = Runs((5, 1, 9, 4, 7, 3, 8), 3)
FILES = np.repeat(np.arange(7), RUNS.lengths)


@pytest.mark.parametrize("together", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("lengths", [(5, 1, 9, 4), (1,), (3,) * 10, (0, 4, 0, 2)])
def test_every_example_once_and_few_files_at_a_time(lengths, together):
    order = windowed_permutation(np.random.default_rng(0), Runs(lengths, together))
    many = sum(lengths)
    assert sorted(order) == list(range(many))
    files = np.repeat(np.arange(len(lengths)), lengths)[order]
    begun = [np.flatnonzero(files == file)[[0, -1]] for file in set(files)]
    for at in range(many):
        assert sum(first <= at <= last for first, last in begun) <= together


def test_chance_decides_files_and_examples():
    orders = [windowed_permutation(np.random.default_rng(seed), RUNS) for seed in (0, 0, 1)]
    assert np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])
    first = [frozenset(FILES[windowed_permutation(np.random.default_rng(seed), RUNS)[:8]]) for seed in range(40)]
    assert len(set(first)) > 5  # other files begin
    mixed = FILES[orders[0]]
    assert (np.diff(mixed) != 0).sum() > 10  # and within a window they take turns


def test_all_files_at_once_leave_no_example_where_it_must_be():
    orders = [windowed_permutation(np.random.default_rng(seed), Runs((4, 4), 2)) for seed in range(99)]
    assert {int(np.flatnonzero(order == 0)[0]) for order in orders} == set(range(8))


def test_any_step_is_found_without_those_before():
    whole = drawn(3, "pretrain", 37, 0, 37 * 4, RUNS)
    for start in range(0, 37 * 4 - 8, 8):
        assert np.array_equal(drawn(3, "pretrain", 37, start, start + 8, RUNS), whole[start : start + 8])
    for epoch in whole.reshape(4, 37):
        assert sorted(epoch) == list(range(37))
    assert not np.array_equal(whole[:37], whole[37:74])
    assert not np.array_equal(drawn(3, "pretrain", 37, 0, 37), whole[:37])


def test_runs_of_the_rows_that_are_used():
    lying = Lying(np.array([4, 4, 4, 2, 2, 9, 4]), 2)
    assert lying.runs([0, 1, 2, 3, 4, 5, 6]) == Runs((3, 2, 1, 1), 2)
    assert lying.runs([1, 3, 3, 4]) == Runs((1, 3), 2)
    assert lying.runs(np.array([5])) == Runs((1,), 2)


def test_files_of_their_own_have_no_runs():
    assert lying_in(None, ["a.png"]) is None
