"""Inks that differ in grey and to colour-blind eyes, text that stays text, and no trace in matplotlib's settings."""

from __future__ import annotations

import itertools
import sys

import matplotlib
import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results.plots.style import INKS, blank, clean, finished, house_style, inches, wrapped

# Viénot, Brettel & Mollon 1999, in linear RGB (each row gives one channel that a dichromat sees).
PROTAN = [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]
DEUTAN = [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    part = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x = XYZ @ np.clip(rgb, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_inks_get_lighter_one_by_one():
    lightness = [lab(linear(ink.colour))[0] for ink in INKS]
    assert min(np.diff(lightness)) > 6
    assert lightness[-1] < 75  # dark enough to be seen on white


@pytest.mark.parametrize("matrix", [PROTAN, DEUTAN, np.eye(3)])
def test_colour_blind_people_tell_inks_apart(matrix):
    seen = [lab(np.array(matrix) @ linear(ink.colour)) for ink in INKS]
    nearest = min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2))
    assert nearest > 12  # CIE 1976; 2.3 can just be seen


def test_nothing_is_told_by_colour_alone():
    assert len({str(ink.dash) for ink in INKS}) == len({ink.marker for ink in INKS}) == len(INKS)


def test_the_users_settings_neither_matter_nor_change():
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"text.usetex": True, "lines.linewidth": 9, "svg.fonttype": "path"}):
        with house_style():
            assert not matplotlib.rcParams["text.usetex"]
            assert matplotlib.rcParams["lines.linewidth"] < 2
            assert matplotlib.rcParams["svg.fonttype"] == "none"
        assert matplotlib.rcParams["lines.linewidth"] == 9
    assert dict(matplotlib.rcParams) == before


def test_figures_are_nobodys_but_the_callers():
    figure = finished(blank("page", 2.0), "one line\nand more", "a note\nof two lines")
    assert tuple(figure.get_size_inches()) == (6.75, 2.0)
    assert figure.get_label() == "one line and more"
    assert figure.get_supxlabel() == "a note\nof two lines"
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_an_unknown_width():
    with pytest.raises(UserError, match="unknown width 'colum'") as error:
        inches("colum")
    assert "did you mean 'column'" in error.value.remedy


def test_text_that_no_xml_holds_is_cleaned():
    assert clean("a\x00b\nc\td") == "a\ufffdb c d"
    assert clean("<b> & \\x $y$ 日本") == "<b> & \\x $y$ 日本"


@pytest.mark.parametrize(
    ("name", "longest", "lines", "text"),
    [
        ("prefix-lm", 20, 2, "prefix-lm"),
        ("decoder-only, language model", 14, 2, "decoder-only,\nlanguage model"),
        ("a" * 30, 10, 1, "aaaa…aaaa"),
        ("one two three", 4, 9, "one\ntwo\nthre\ne"),
        ("", 9, 2, ""),
    ],
)
def test_names_in_few_letters(name, longest, lines, text):
    assert wrapped(name, longest, lines) == text


def test_a_wrapped_name_is_never_longer_than_asked():
    for name in ("x " * 40, "x" * 99, "ab cdefghijkl mno pqrstuv", "a-b " * 9):
        found = wrapped(name, 9, 2).split("\n")
        assert len(found) <= 2
        assert max(map(len, found)) <= 9
