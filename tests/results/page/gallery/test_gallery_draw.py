"""The draw: by chance for all, and where rows differ; never two of one picture among the latter."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.results.page.gallery_draw import draw, gaps

NONE = np.zeros(100)
KEYS = list(range(100))


def test_shares_and_order() -> None:
    differing = np.arange(100.0)
    found = draw(KEYS, differing, KEYS, 30)
    assert list(found.values()) == ["chance"] * 20 + ["differ"] * 10
    apart = [key for key, why in found.items() if why == "differ"]
    assert apart == sorted(apart, reverse=True)
    rest = sorted(set(KEYS) - {key for key, why in found.items() if why == "chance"})
    assert set(apart) == set(rest[-10:])


def test_where_rows_differ_nowhere_all_are_drawn_by_chance() -> None:
    found = draw(KEYS, NONE, KEYS, 30)
    assert len(found) == 30 and set(found.values()) == {"chance"}
    assert len(draw(KEYS[:5], NONE[:5], KEYS[:5], 30)) == 5 and draw([], NONE[:0], [], 30) == {}


def test_chance_depends_on_the_example_alone() -> None:
    whole = list(draw(KEYS, NONE, KEYS, 100))
    half = list(draw(KEYS[::2], NONE[::2], KEYS[::2], 100))
    assert half == [key for key in whole if key % 2 == 0], "other examples do not move the order"
    again = list(draw(KEYS[::-1], NONE, KEYS, 100))
    assert again == whole and whole != KEYS


def test_rows_differ_on_as_many_pictures() -> None:
    pictures = [key // 10 for key in KEYS]
    found = draw(KEYS, np.ones(100), pictures, 9)
    shown = [pictures[key] for key, why in found.items() if why == "differ"]
    assert len(set(shown)) == len(shown)
    assert not set(shown) & {pictures[key] for key, why in found.items() if why == "chance"}


@pytest.mark.filterwarnings("error")
def test_gaps_are_of_means_over_seeds() -> None:
    nan = float("nan")
    scores = {
        "a": [np.array([1.0, 0, nan, nan]), np.array([0.0, 0, 4, nan])],
        "b": [np.array([0.0, 1, 1, nan])],
        "c": [np.array([0.25, nan, nan, nan])],
    }
    assert gaps(scores).tolist() == [0.5, 1.0, 3.0, 0.0]
    assert gaps({"a": [np.array([1.0, 2])]}).tolist() == [0.0, 0.0]
