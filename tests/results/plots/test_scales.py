"""Marks at round numbers, and nothing where logarithms have no place."""

from __future__ import annotations

import pytest

from vlpbench.results.plots.scales import marks, plain, set_plain_log, spans
from vlpbench.results.plots.style import blank


def test_what_spans_much():
    assert spans(1, 10, 8)
    assert not spans(1, 7, 8)
    assert not spans(0, 10, 8)
    assert not spans(-1, 10, 8)
    assert not spans(1, float("inf"), 8)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(1, 10, [1, 2, 5, 10]), (0.2, 9, [0.3, 1, 3]), (1, 1000, [1, 10, 100, 1000])],
)
def test_marks_are_round(low, high, found):
    there = marks(low, high, most=4)
    assert there == pytest.approx(found)


@pytest.mark.parametrize(("low", "high"), [(1e-3, 1e9), (3, 4), (2, 500), (7e11, 8e15)])
def test_marks_are_few_and_inside(low, high):
    there = marks(low, high)
    assert len(there) <= 6
    assert all(low <= one * 1.01 and one <= high * 1.01 for one in there)


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, "0.05"), (20, "20"), (3000, "3k"), (1.5e6, "1.5M"), (2e12, "2T"), (0, "0"), (5e9, "5G")]
)
def test_numbers_as_people_write_them(value, text):
    assert plain(value) == text


def test_nothing_has_a_place_of_its_own():
    axes = blank("column", 2).subplots()
    set_plain_log(axes, "x", 1, 100, 0.2)
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[0] < 0.2
    assert [label.get_text() for label in axes.get_xticklabels()][:2] == ["0", "1"]
