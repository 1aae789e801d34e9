"""What `vlpbench.results.tables` brings by one import, and that its files can still be imported by their names."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.results import load, tables
from vlpbench.results.tables import frame, html, latex, markdown, styler


@pytest.mark.parametrize("name", tables.__all__)
def test_all_of_it_is_there(name: str) -> None:
    assert callable(getattr(tables, name))


@pytest.mark.parametrize("name", ["html", "latex", "markdown"])
def test_a_file_and_its_function_share_a_name(name: str) -> None:
    module = importlib.import_module(f"vlpbench.results.tables.{name}")
    assert getattr(module, name) is getattr(tables, name)


def test_where_is_a_dictionary(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    with pytest.raises(UserError, match="'blind=false' is no setting with a value"):
        load(grid.folder).table(where="blind=false")
    assert len(load(grid.folder).table(where={"blind": False}).lines)


def test_a_table_in_three_lines(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    table = load(grid.folder).table(metrics="accuracy")
    assert "| a " in markdown(table) and "a & 40.0" in latex(table) and "<td" in html(table)
    assert len(table.columns) == 1, "one column is a table, too"
    assert frame(table).loc["a", "vqa acc."] == "40.0" and "40.0" in styler(table).to_html()
