"""Fields of numbers: what is written depends on the room there is."""

from __future__ import annotations

import pytest

from vlpbench.results.plots.matrix import Place, matrix


def numbers(columns, width):
    places = [[Place(12.34, 1.26)] * columns]
    figure = matrix(["a"], ["x"] * columns, places, width)
    return {text.get_text() for text in figure.axes[0].texts}


def test_intervals_where_there_is_room():
    assert numbers(3, "column") == {"12.3", "±1.3"}
    assert numbers(40, "column") == {"12"}


def test_long_heads_stand_upright_and_middling_ones_are_folded():
    def head(name, columns=4):
        figure = matrix(["a"], [name] * columns, [[Place(1.0)] * columns], "column")
        label = figure.axes[0].get_xticklabels()[0]
        return label.get_text(), label.get_rotation()

    assert head("short") == ("short", 0)
    assert head("conv3/enc-decoder") == ("conv3/\nenc-decoder", 0)
    assert head("conv3/encoder-decoder") == ("conv3/encoder-decoder", 90)


@pytest.mark.parametrize("is_lower", [False, True])
def test_darker_is_better(is_lower):
    figure = matrix(["a"], ["x", "y"], [[Place(1.0), Place(2.0)]], "column", is_lower_better=is_lower)
    shades = [sum(patch.get_facecolor()[:3]) for patch in figure.axes[0].patches]
    assert (shades[0] < shades[1]) == is_lower


def test_reasons_are_hatched_and_said_once_a_line():
    places = [[Place(instead="failed")] * 3, [Place(1.0), Place(instead="not in the grid"), Place(2.0)]]
    axes = matrix(["a", "b"], ["x", "y", "z"], places, "column").axes[0]
    assert [text.get_text() for text in axes.texts].count("failed") == 1
    assert sum(bool(patch.get_hatch()) for patch in axes.patches) == 2


def test_equal_numbers_have_one_shade():
    axes = matrix(["a"], ["x", "y"], [[Place(3.0), Place(3.0)]], "column").axes[0]
    assert len({patch.get_facecolor() for patch in axes.patches}) == 1
