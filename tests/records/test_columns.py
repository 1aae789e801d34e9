"""Columns come back as the very values they were, in a smaller file."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.records import read_predictions, write_predictions
from vlpbench.records.columns import copy_columns

CHANCE = random.Random(0)
COLUMNS: dict[str, list[Any]] = {
    "ids": [10**15 + 7 * at for at in range(500)],
    "names": [f"{at // 5}/{at % 5}" for at in range(500)],
    "kinds": [CHANCE.choice(["yes/no", "number", "other"]) for _ in range(500)],
    "scores": [CHANCE.choice([0.0, 0.3, 0.6, 0.9, 1.0]) for _ in range(500)],
    "cider": [CHANCE.gauss(0, 3) for _ in range(500)],
    "gaps": [None if at % 3 else CHANCE.random() for at in range(500)],
    "nothing": [None] * 500,
    "flags": [at % 2 == 0 for at in range(500)],
    "lists": [[at, at] for at in range(500)],
    "mixed": [at if at % 2 else at / 2 for at in range(500)],
    "odd": [-0.0, 5e-324, 1e308, 0.1 + 0.2, *(1 / (at + 1) for at in range(496))],
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in zip(*COLUMNS.values(), strict=True)]
    write_predictions(tmp_path / "whole.parquet", [{**row, "answer": "a long answer"} for row in rows])
    return tmp_path / "whole.parquet"


@pytest.mark.parametrize("names", [[name] for name in COLUMNS] + [list(COLUMNS)])
def test_every_value_comes_back(source: Path, tmp_path: Path, names: list[str]) -> None:
    copy_columns(source, names, tmp_path / "small.parquet")
    rows = read_predictions(tmp_path / "small.parquet")
    assert list(rows[0]) == names
    for name in names:
        assert repr([row[name] for row in rows]) == repr(COLUMNS[name])


def test_equal_columns_are_equal_bytes(source: Path, tmp_path: Path) -> None:
    for name in "ab":
        copy_columns(source, ["ids", "cider"], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_ids_that_count_and_few_values_take_little(source: Path, tmp_path: Path) -> None:
    copy_columns(source, ["ids", "kinds", "scores"], tmp_path / "small.parquet")
    assert (tmp_path / "small.parquet").stat().st_size < 2_000


def test_no_rows(tmp_path: Path) -> None:
    write_predictions(tmp_path / "none.parquet", [])
    copy_columns(tmp_path / "none.parquet", [], tmp_path / "small.parquet")
    assert read_predictions(tmp_path / "small.parquet") == []


def test_a_damaged_file_is_named(source: Path, tmp_path: Path) -> None:
    content = source.read_bytes()
    for cut in (content[:100], content[:-5] + b"xxxxx", b""):
        source.write_bytes(cut)
        with pytest.raises(UserError, match="cannot read predictions"):
            copy_columns(source, ["ids"], tmp_path / "small.parquet")
    assert not (tmp_path / "small.parquet").exists()
