"""The kit of report tables passes a right one and names each fault of a wrong one by the right check."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from vlpbench.plugin import ReportTable
from vlpbench.testing import check_table, parametrize_table_checks


class Seeds(ReportTable):
    """Every seed's accuracy."""

    name, description = "seed-scores", "Every seed by itself."

    def frame(self, results: Any) -> Any:
        mine = results.frame[(results.frame["task"] == "vqa") & (results.frame["metric"] == "accuracy")]
        return mine.pivot_table("value", "row", "seed", sort=False)


@parametrize_table_checks([Seeds])
def test_a_right_one_passes(table: type[ReportTable], check: Any) -> None:
    check(table)


def wrong(frame: Any, **facts: Any) -> type[ReportTable]:
    said = {"name": "wrong", "description": "What is wrong.", "frame": lambda self, results: frame(results)}
    return type("Wrong", (ReportTable,), {**said, **facts})


def spoil(results: Any) -> Any:
    results.frame["value"] = 0.0
    return pd.DataFrame({"row": ["a"], "x": [1.0]})


CALLS: list[int] = []


def counted(results: Any) -> Any:
    CALLS.append(1)
    return pd.DataFrame({"row": ["a"], "x": [len(CALLS)]})


@pytest.mark.parametrize(
    ("cls", "check", "cause"),
    [
        (wrong(lambda _: pd.DataFrame(), name="scores"), "metadata", "a table of vlpbench's own"),
        (wrong(lambda _: pd.DataFrame(), description=""), "metadata", "`description` is ''"),
        (wrong(lambda _: [1]), "frame", "gave a list, not a pandas DataFrame"),
        (wrong(lambda results: results.colours), "frame", "AttributeError"),
        (wrong(spoil), "pure", "changes `results.frame`"),
        (wrong(counted), "pure", "another table"),
        (
            wrong(lambda results: results.records()[0] and pd.DataFrame({"row": ["a"]})),
            "nothing-finished", "IndexError",
        ),
    ],
)
def test_each_fault_is_named_by_its_check(cls: type[ReportTable], check: str, cause: str) -> None:
    (found,) = check_table(cls, only=[check])
    assert found.state == "failed" and cause in found.cause and found.remedy


def test_how_large_it_is_is_told() -> None:
    (found,) = check_table(Seeds, only=["frame"])
    assert found.told == "2 lines, 2 columns beside their names"
