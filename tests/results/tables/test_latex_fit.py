"""Type and needs of a table on paper: the largest that fits, and what its author is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vlpbench.results.tables import Column, Entry, Line, Table
from vlpbench.results.tables.latex import latex
from vlpbench.results.tables.latex_fit import fit_of, head_lines, needs, shortened


def of(columns: int, lines: int = 1, name: str = "prefix-lm") -> Table:
    """A table of scores with their spreads."""
    entries = tuple(Entry(50.0, 1.0) for _ in range(columns))
    return Table(tuple(Column(f"score {at}") for at in range(columns)), (Line(name, entries),) * lines)


@pytest.mark.parametrize(("columns", "size", "told"), [
    (2, "", ""), (4, "", "table*"), (5, r"\small", "table*"), (6, r"\scriptsize", "table*"),
    (12, r"\scriptsize", "sidewaystable"),
])
def test_a_wide_table_is_set_smaller_and_the_widest_says_what_to_do(columns: int, size: str, told: str) -> None:
    table = of(columns)
    assert fit_of(table).size == size
    assert told in " ".join(needs(table, fit_of(table))[1:])
    assert (len(needs(table, fit_of(table))) > 1) == bool(told)
    assert "resizebox" not in latex(table)


def test_groups_are_packed_into_as_few_lines_as_fit() -> None:
    columns = tuple(Column("score 0", group) for group in "aaabbbbcd")
    full, empty = tuple(Entry(50.0, 1.0) for _ in columns), (Entry(),) * 3
    fit = fit_of(Table(columns, (Line("row", full), Line("chance", full[:6] + empty, "floor"))))
    assert [[one.group for one in part.columns] for part in fit.parts] == [list("aaa"), list("bbbbcd")]
    assert [[line.name for line in part.lines] for part in fit.parts] == [["row", "chance"]] * 2
    assert fit.width <= 345 and not fit.is_too_wide


def test_a_group_that_is_too_wide_is_cut_between_its_scores() -> None:
    """Six scores, each with its difference: two lines of three, and no difference parted from its score."""
    pairs = [(Column(f"R@{at}", "retrieval"), Column(f"Δ R@{at}", "retrieval", "difference")) for at in range(6)]
    columns = tuple(column for pair in pairs for column in pair)
    entries = (Entry(50.0, 1.0), Entry(10.0, mark="*")) * 6
    fit = fit_of(Table((Column("acc.", "vqa"), *columns), (Line("row", (Entry(1.0), *entries)),)))
    assert [[one.name for one in part.columns] for part in fit.parts] == [
        ["acc.", "R@0", "Δ R@0", "R@1", "Δ R@1", "R@2", "Δ R@2"], ["R@3", "Δ R@3", "R@4", "Δ R@4", "R@5", "Δ R@5"],
    ]
    assert not fit.is_too_wide


def test_a_floor_without_a_number_in_a_part_is_left_out_there() -> None:
    columns = tuple(Column("a_score_that_is_wide", group) for group in "aaabbb")
    full = tuple(Entry(50.0, 1.0) for _ in columns)
    fit = fit_of(Table(columns, (Line("row", (Entry(),) * 6), Line("chance", full[:3] + (Entry(),) * 3, "floor"))))
    assert [[line.name for line in part.lines] for part in fit.parts] == [["row", "chance"], ["row"]]


def test_a_table_that_fits_is_left_whole(scores: Table) -> None:
    assert fit_of(scores).parts == (scores,)
    assert fit_of(of(12)).parts == (of(12),), "without groups there is nothing to cut at"
    assert fit_of(of(12)).is_too_wide


def test_a_reason_does_not_make_a_column_wide() -> None:
    def with_text(text: str) -> Table:
        return Table((Column("acc."),), (Line("a", (Entry(text=text),)),))

    assert fit_of(with_text("n/a: pretraining trained no matching head")).width < 60
    assert fit_of(with_text("pretraining trained no matching head at all")).width < 60
    assert fit_of(with_text("captioning@zero-shot CIDEr ×100")).width > 150


def test_a_groups_name_takes_its_room() -> None:
    def of_group(name: str) -> float:
        return fit_of(Table((Column("a", name), Column("b", name)), ())).width

    assert of_group("x" * 40) - of_group("x" * 20) == 100 and of_group("x") == of_group("xy")


@pytest.mark.parametrize(("name", "lines"), [
    ("pretraining TFLOP", ["pretraining", "TFLOP"]), ("seconds a cell", ["seconds", "a cell"]),
    ("published", ["published"]), ("TR@1", ["TR@1"]), ("p (sign flips)", ["p", "(sign flips)"]), ("p 1", ["p 1"]),
])
def test_a_head_wider_than_its_column_stands_in_two_lines(name: str, lines: list[str]) -> None:
    table = Table((Column(name), Column(name)), (Line("a", (Entry(0.5), Entry(12345.0, 12345.0))),))
    assert head_lines(table, 0) == lines
    assert head_lines(table, 1) == [name], "there is room"


def test_sentences_are_taken_out_of_their_place() -> None:
    assert shortened("n/a: needs decode") == ("n/a", "needs decode")
    assert shortened("n/a") == ("n/a", "") and shortened("n/a: ") == ("n/a: ", "")
    assert shortened("seeds 0, 1, 2, 3, 4 and 5 are pending") == ("", "seeds 0, 1, 2, 3, 4 and 5 are pending")
    assert shortened("34.6 ± 1.6 (n=4/5)") == ("34.6 ± 1.6 (n=4/5)", "")


def test_a_long_table_says_what_to_do() -> None:
    assert "longtable" in needs(of(1, 60), fit_of(of(1, 60)))[-1]
    assert len(needs(of(1, 40), fit_of(of(1, 40)))) == 1


def test_what_needs_another_engine_is_told(scores: Table) -> None:
    assert not [line for line in needs(scores, fit_of(scores)) if "xelatex" in line]
    other = replace(scores, head="row\n漢", notes=("漢字",))
    said = [line for line in needs(other, fit_of(other)) if "xelatex" in line]
    assert [line.partition(": ")[0] for line in said] == [
        'pdflatex cannot set 漢 (U+6F22) of "row 漢"', 'pdflatex cannot set 漢 (U+6F22) 字 (U+5B57) of "漢字"',
    ]
    assert "% pdflatex cannot set" in latex(other)


def test_a_table_of_nothing() -> None:
    assert fit_of(Table((), ())).width < 40
