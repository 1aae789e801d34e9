"""A plugin's table: its frame as lines and entries, its caption, and what is no table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.results.conftest import Grid
from vlpbench.contract.report_table import ReportTable
from vlpbench.errors import UserError
from vlpbench.registry import Origin
from vlpbench.results import Results, load
from vlpbench.results.tables import Table, html, latex, markdown
from vlpbench.results.tables.brought import brought_table
from vlpbench.results.tables.long import long_table

ORIGIN = Origin("pairs", "vlpbench-pairs", "0.3")


@pytest.fixture
def results(tmp_path: Path) -> Results:
    grid = Grid(tmp_path)
    grid.done("a", 0, {"accuracy": 40.0})
    return load(grid.folder)


def table(results: Results, made: Callable[[Any], Any], **choices: Any) -> Table:
    """What becomes of a class whose `frame` gives this."""

    class Mine(ReportTable):
        name, version, description = "mine", 2, "What hangs together."

        def frame(self, results: Any) -> Any:
            return made(results)

    return brought_table(Mine, ORIGIN, results, **choices)


def test_a_plain_frame_has_its_first_column_as_lines(results: Results) -> None:
    frame = pd.DataFrame({"row": ["a", "b"], "acc.": [40.04, float("nan")], "runs": [3, 10_000], "why": ["x", None]})
    found = table(results, lambda _: frame)
    text = markdown(found.for_screen())
    assert [line.split() for line in text.splitlines()[:4]] == [
        "| row | acc. | runs | why |".split(), text.splitlines()[1].split(),
        "| a | 40.0 | 3 | x |".split(), "| b | – | 10,000 | – |".split(),
    ]
    assert text.endswith("- What hangs together\n- table `mine`, version 2, of vlpbench-pairs 0.3")
    assert [column.kind for column in found.columns] == ["score", "score", "text"]


def test_an_index_names_lines_and_two_levels_are_groups(results: Results) -> None:
    frame = pd.DataFrame(
        [[1.25, True], [2.0, False]], index=pd.MultiIndex.from_tuples([("g", "a"), ("g", "b")], names=["grid", "row"]),
        columns=pd.MultiIndex.from_tuples([("vqa", "acc."), ("vqa", "sure")]),
    )
    found = table(results, lambda _: frame, decimals=2)
    assert found.head == "grid, row" and [line.name for line in found.lines] == ["g, a", "g, b"]
    assert [(column.group, column.name) for column in found.columns] == [("vqa", "acc."), ("vqa", "sure")]
    assert "| g, a        | 1.25       | yes        |" in markdown(found)


def test_programs_get_unrounded_numbers_and_nothing_where_there_is_none(results: Results) -> None:
    frame = pd.DataFrame({"row": ["a", "b"], "x": [1.23456, None], "n": [1, 2]}).set_index("row")
    found = long_table(table(results, lambda _: frame))
    assert found["x"].tolist()[0] == 1.23456 and found["x"].isna().tolist() == [False, True]
    assert found["n"].tolist() == [1, 2] and found["row"].tolist() == ["a", "b"]


def test_columns_of_one_name_and_lists_are_told_apart(results: Results) -> None:
    frame = pd.DataFrame([["a", 1.0, [1, 2]]], columns=["row", "x", "x"])
    found = long_table(table(results, lambda _: frame))
    assert found.columns.tolist() == ["row", "x", "x (2)"] and found.iloc[0].tolist() == ["a", 1.0, "[1, 2]"]


def test_papers_have_a_caption_with_who_made_it(results: Results) -> None:
    found = table(results, lambda _: pd.DataFrame({"row": ["a_b"], "50 % & more": [1.0]}))
    assert found.caption == "What hangs together. Table `mine`, version 2, of vlpbench-pairs 0.3."
    said = latex(found)
    assert r"\label{tab:small-mine}" in said and r"a\_b" in said and r"50 \%" in said and r"\& more" in said
    assert "<caption>What hangs together. Table <code>mine</code>" in html(found)


def test_a_frame_without_lines_is_a_table_without_lines(results: Results) -> None:
    found = table(results, lambda _: pd.DataFrame(columns=["row", "x"]))
    assert found.lines == () and found.head == "row" and markdown(found)


def test_it_sees_what_was_loaded(results: Results) -> None:
    found = table(results, lambda mine: mine.frame.groupby("row")[["value"]].mean())
    assert found.lines[0].name == "a" and found.lines[0].entries[0].value == 40.0


def raising(_: Any) -> Any:
    return {}["colour"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda _: [["a", 1.0]], "gave a list, not a pandas DataFrame"),
        (lambda _: None, "gave None, not a pandas DataFrame"),
        (lambda results: results.frame["value"], "gave a Series, not"),
        (lambda _: pd.DataFrame(index=range(3)), "gave a frame without columns"),
        (raising, "raised KeyError: 'colour'"),
    ],
)
def test_what_is_no_table_names_the_plugin(results: Results, made: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        table(results, made)
    assert "table 'mine' of plugin 'pairs' (vlpbench-pairs 0.3)" in caught.value.cause


def test_what_results_refuse_is_said_as_they_say_it(results: Results) -> None:
    with pytest.raises(UserError, match="unknown metric 'acuracy'"):
        table(results, lambda mine: mine.examples("vqa", "acuracy"))
