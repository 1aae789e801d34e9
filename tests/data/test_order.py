"""Which examples a step sees is a function of its number, and of several texts of one none comes twice in vain."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from vlpbench.data.order import different, drawn


def test_places_are_cut_without_a_seam() -> None:
    whole = drawn(3, "pretrain", 7, 0, 28)
    assert sorted(whole[:7]) == sorted(whole[7:14]) == list(range(7))
    steps = [drawn(3, "pretrain", 7, start, start + 4) for start in range(0, 28, 4)]
    assert np.array_equal(np.concatenate(steps), whole)
    assert not np.array_equal(whole[:7], whole[7:14])
    assert not np.array_equal(drawn(4, "pretrain", 7, 0, 28), whole)
    assert drawn(3, "pretrain", 7, 5, 5).shape == (0,)


@pytest.mark.parametrize("wanted", [1, 2, 3, 5, 8])
def test_texts_are_different_as_far_as_there_are_so_many(wanted: int) -> None:
    many = np.array([1, 2, 3, 5, 5, 4])
    for seed in range(30):
        found = different(np.random.default_rng(seed), many, wanted, 5)
        assert found.shape == (6, wanted)
        assert (found >= 0).all() and (found < many[:, None]).all()
        assert [len(set(row)) for row in found.tolist()] == np.minimum(many, wanted).tolist()


def test_each_text_is_as_likely_as_another_wherever_it_stands() -> None:
    found = different(np.random.default_rng(0), np.full(5000, 4), 3, 6)
    for place in range(3):
        counts = Counter(found[:, place].tolist())
        assert set(counts) == {0, 1, 2, 3}
        assert all(abs(count - 1250) < 5 * np.sqrt(1250) for count in counts.values())


def test_what_comes_again_does_so_by_chance() -> None:
    found = different(np.random.default_rng(0), np.full(5000, 2), 3, 2)[:, 2]
    assert abs(found.mean() - 0.5) < 0.04
