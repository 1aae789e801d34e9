from __future__ import annotations

import pytest

from vlpbench.scoring.layout import columns, number, printable, said


@pytest.mark.parametrize(("value", "shown"), [(None, "-"), (1 / 3, "0.33"), (7, "7"), ("-", "-"), (100.0, "100.00")])
def test_two_decimals_counts_and_dashes(value, shown):
    assert number(value) == shown


def test_the_first_column_stands_left_and_the_others_right():
    assert columns(["score", "value"], [["a", 1.0], ["longer", 22.5]]) == "score   value\na        1.00\nlonger  22.50"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("é 日本 😀", "é 日本 😀"), ("a\nb\t\u2028", r"a\nb\t\u2028"), ("\x1b[31mred", r"\x1b[31mred")],
)
def test_a_name_out_of_a_file_keeps_its_line(name, shown):
    assert printable(name) == shown
    assert len(columns(["group", "score"], [[name, 1.0]]).splitlines()) == 2


def test_sentences_are_indented():
    first, second, *rest = said(["one", "two " * 40]).splitlines()[1:]
    assert first == "- one" and second.startswith("- two") and all(line.startswith("  two") for line in rest)
