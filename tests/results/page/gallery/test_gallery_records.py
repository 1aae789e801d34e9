"""Columns of stored predictions: in the order asked for, as they were before they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.records import write_predictions
from vlpbench.results.page.gallery_records import Predictions

ROWS = [{"id": at, "said": f"a{at}", "score": None if at == 2 else at / 2, "odd": [1, "x"] if at else 3}
        for at in range(4)]


@pytest.fixture
def stored(tmp_path: Path) -> Predictions:
    write_predictions(tmp_path / "vqa.parquet", ROWS)
    return Predictions.at(tmp_path / "vqa.parquet", "id")


def test_columns(stored: Predictions) -> None:
    assert stored.names == {"id", "said", "score", "odd"}
    assert stored.column("said") == ["a0", "a1", "a2", "a3"]
    assert stored.column("odd") == [3, [1, "x"], [1, "x"], [1, "x"]], "kept as JSON"
    assert stored.column("none") == [None] * 4


def test_numbers_come_in_the_order_of_keys(stored: Predictions) -> None:
    assert np.array_equal(stored.numbers("score", [0, 1, 2, 3]), [0, 0.5, np.nan, 1.5], equal_nan=True)
    assert np.array_equal(stored.numbers("score", [3, 9, 0]), [1.5, np.nan, 0], equal_nan=True)
    assert np.isnan(stored.numbers("none", [0, 1, 2, 3])).all()


def test_rows_are_those_asked_for(stored: Predictions) -> None:
    assert stored.rows({3, 1, 8}, ["odd", "said", "none"]) == {
        1: {"id": 1, "odd": [1, "x"], "said": "a1"}, 3: {"id": 3, "odd": [1, "x"], "said": "a3"}
    }
    assert stored.rows(set(), ["said"]) == {}


def test_ids_of_two_kinds_are_found(tmp_path: Path) -> None:
    write_predictions(tmp_path / "x.parquet", [{"id": 1, "said": "a"}, {"id": "1", "said": "b"}])
    stored = Predictions.at(tmp_path / "x.parquet", "id")
    assert stored.rows({"1"}, ["said"]) == {"1": {"id": "1", "said": "b"}}


@pytest.mark.parametrize("content", [b"", b"PAR1 no more", None])
def test_what_cannot_be_read_is_a_user_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "vqa.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="cannot read predictions"):
        Predictions.at(path, "id")


def test_without_the_key_and_with_damaged_pages(tmp_path: Path, stored: Predictions) -> None:
    with pytest.raises(UserError, match="no column 'query'"):
        Predictions.at(stored.path, "query")
    stored.path.unlink()
    with pytest.raises(UserError, match="cannot read predictions"):
        stored.column("said")
