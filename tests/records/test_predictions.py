"""Predictions come back as they were written, and equal rows are equal bytes."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
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


ODD: list[list[Any]] = [
    [1, 2.5], [2.5, 1, None], [True, 0], ["a", 1, None], [None, None], [[], []], [[1, 2], None], [[1], [2.5]],
    [[1, "a"], []], [{"a": 1}, {"b": [None, {"c": 2.0}]}], [{}, None], [[{}], []], [2**70, 1], ["\ud800", "ä"],
    [-0.0, 1e300], [[[1]], [[]]], [float("-inf"), 0.1 + 0.2], [["x", None], ["🍎"]], ["", None], ["null", "[1]"],
    [0, -(2**63)],
]


@pytest.mark.parametrize("values", ODD, ids=repr)
def test_what_was_read_has_the_same_types_and_is_written_to_the_same_bytes(tmp_path: Path, values: list[Any]) -> None:
    rows = [{"id": number, "value": value, "last": "x"} for number, value in enumerate(values)]
    write_predictions(tmp_path / "one", rows)
    found = read_predictions(tmp_path / "one")
    assert repr(found) == repr(rows)
    write_predictions(tmp_path / "two", found)
    assert (tmp_path / "two").read_bytes() == (tmp_path / "one").read_bytes()


def test_numbers_of_numpy_become_those_of_python(tmp_path: Path) -> None:
    row = {
        "single": np.float32(0.1), "double": np.float64(0.1), "whole": np.int16(7), "yes": np.bool_(True),
        "text": np.str_("ä"), "row": np.array([[1, 2]], np.int32), "pair": (1, 2), "pairs": [(1.5, None)],
    }
    write_predictions(tmp_path / "one", [row, row])
    found = read_predictions(tmp_path / "one")
    assert repr(found[1]) == repr({
        "single": float(np.float32(0.1)), "double": 0.1, "whole": 7, "yes": True, "text": "ä", "row": [[1, 2]],
        "pair": [1, 2], "pairs": [[1.5, None]],
    })
    write_predictions(tmp_path / "two", found)
    assert (tmp_path / "two").read_bytes() == (tmp_path / "one").read_bytes()


def test_nan_is_kept(tmp_path: Path) -> None:
    write_predictions(tmp_path / "rows", [{"a": float("nan"), "b": [float("nan")]}, {"a": None, "b": [1.0]}])
    first, second = read_predictions(tmp_path / "rows")
    assert math.isnan(first["a"]) and math.isnan(first["b"][0]) and second == {"a": None, "b": [1.0]}


def test_what_no_row_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a row cannot hold"):
        write_predictions(tmp_path / "rows", [{"a": object()}])
    assert not (tmp_path / "rows").exists()


def test_a_flipped_bit_gives_the_same_rows_or_an_error(tmp_path: Path) -> None:
    """What a page holds has a checksum; the rest of the file (names, schema) is guarded by the record's hash alone."""
    path = tmp_path / "rows"
    write_predictions(path, [{"a": number / 7, "b": f"w{number}"} for number in range(40)])
    content, rows = path.read_bytes(), read_predictions(path)
    found = count = 0
    for place in range(8 * len(b"PAR1"), 8 * 300, 5):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with contextlib.suppress(UserError):
            found += read_predictions(path) == rows
            count += 1
    assert found == count < 8 * 300 // 5, "some are noticed, and no other row is ever read"


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
