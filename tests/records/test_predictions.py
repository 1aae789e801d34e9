"""Predictions come back as they were written, and equal rows are equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.records import read_predictions, write_predictions

ROWS: list[dict[str, Any]] = [
    {"question_id": 2**40, "question": "wie viele? 🍎", "answers": ["2", "zwei"], "probability": 0.1, "none": None},
    {"question_id": -1, "question": "", "answers": [], "probability": 1.0, "none": None},
]


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "predictions" / "vqa.parquet"
    write_predictions(path, ROWS)
    assert read_predictions(path) == ROWS
    assert [one.name for one in path.parent.iterdir()] == ["vqa.parquet"]


def test_equal_rows_are_equal_bytes(tmp_path: Path) -> None:
    write_predictions(tmp_path / "one", ROWS)
    write_predictions(tmp_path / "two", [dict(row) for row in ROWS])
    write_predictions(tmp_path / "three", ROWS[::-1])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "three").read_bytes()


def test_no_rows_at_all(tmp_path: Path) -> None:
    write_predictions(tmp_path / "empty", [])
    assert read_predictions(tmp_path / "empty") == []


def test_what_only_a_later_row_has_is_kept(tmp_path: Path) -> None:
    write_predictions(tmp_path / "rows", [{"a": 1}, {"a": 2, "b": "x"}])
    assert read_predictions(tmp_path / "rows") == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    import pandas as pd

    write_predictions(tmp_path / "rows.parquet", ROWS)
    frame = pd.read_parquet(tmp_path / "rows.parquet")
    assert list(frame.columns) == list(ROWS[0])
    assert frame["question_id"].tolist() == [2**40, -1]


@pytest.mark.parametrize("kept", [0, 3, 60, -1])
def test_a_file_cut_short_is_a_users_error(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "vqa.parquet"
    write_predictions(path, ROWS)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match="cannot read predictions") as caught:
        read_predictions(path)
    assert caught.value.place == str(path) and caught.value.remedy


def test_a_file_that_is_not_there_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read predictions"):
        read_predictions(tmp_path / "vqa.parquet")
