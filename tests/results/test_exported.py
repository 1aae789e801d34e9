"""The frame as a file: what is read is what was written, also from an earlier version."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from vlpbench.errors import UserError
from vlpbench.results import FRAME_SCHEMA, load


@pytest.fixture
def written(grid: Any, tmp_path: Path) -> Path:
    """A frame with a number that is missing, a cell that failed and a published number."""
    grid.reference = "a"
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": None}, settings={"published": {"vqa.accuracy": 77.9}})
    grid.failed("b", 0, "no memory")
    load(grid.folder).export(tmp_path / "out" / "small.parquet")
    return tmp_path / "out" / "small.parquet"


def test_it_comes_back_as_it_was(grid: Any, written: Path) -> None:
    before, after = load(grid.folder), load(written)
    pd.testing.assert_frame_equal(after.frame, before.frame)
    assert after.orders == before.orders and after.folders == (written,)
    pd.testing.assert_frame_equal(after.floors(), before.floors(), check_dtype=False)
    assert after.wide().equals(before.wide())


def test_a_file_and_a_folder_together(another: Any, written: Path) -> None:
    other = another()
    other.done("c", 0, {"accuracy": 50.0})
    both = load(other.folder, written)
    assert list(both.frame["grid"].unique()) == ["other", "small"]
    assert [order.name for order in both.orders] == ["other", "small"]
    assert set(both.floors()["grid"]) == {"other", "small"}
    assert both.settings().set_index("row")["objective"].isna().to_dict() == {"c": False, "a": True, "b": True}


def test_a_frame_of_the_previous_version_is_read(written: Path) -> None:
    table = parquet.read_table(written)
    told = json.loads(table.schema.metadata[b"vlpbench"])
    old = table.drop_columns(["examples", "fine_tune_flops", "peak_bytes"])
    told["schema"] = 1
    parquet.write_table(old.replace_schema_metadata({b"vlpbench": json.dumps(told).encode()}), written)
    found = load(written)
    assert found.frame["examples"].isna().all() and found.frame["value"].dropna().tolist() == [40.0]
    assert found.wide().loc["a", "vqa acc."] == "40.0"


def test_a_frame_as_csv_is_read(grid: Any, written: Path) -> None:
    before = load(grid.folder).frame
    csv, later = written.with_suffix(".csv"), ["examples", "fine_tune_flops", "peak_bytes"]
    before.drop(columns="better").to_csv(csv, index=False)
    assert load(csv).frame.set_index("metric").loc["accuracy", "better"] == "higher", "which the suite says"
    before.drop(columns=["better", *later]).to_csv(csv, index=False)
    found = load(csv)
    assert found.frame["value"].dropna().tolist() == [40.0] and found.wide().loc["b"].tolist()[0] == "failed"
    assert found.orders[0].published == {"a": {"vqa.accuracy": 77.9}}


def test_a_version_to_come_is_refused(written: Path) -> None:
    table = parquet.read_table(written)
    told = json.dumps({"schema": FRAME_SCHEMA + 1}).encode()
    parquet.write_table(table.replace_schema_metadata({b"vlpbench": told}), written)
    with pytest.raises(UserError, match=f"columns of version {FRAME_SCHEMA + 1}") as caught:
        load(written)
    assert caught.value.place == str(written)


def test_other_files_are_refused(grid: Any, written: Path, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": [1]}), written)
    with pytest.raises(UserError, match="no frame of results: column 'grid' is missing"):
        load(written)
    written.write_bytes(b"PAR1")
    with pytest.raises(UserError, match="cannot read a frame"):
        load(written)
    with pytest.raises(UserError, match="exported as parquet") as caught:
        load(grid.folder).export(tmp_path / "x.csv")
    assert "x.parquet" in caught.value.remedy and not (tmp_path / "x.csv").exists()


def test_its_tables_say_what_those_of_the_folder_say(grid: Any, written: Path) -> None:
    folder, file = load(grid.folder), load(written)
    for choices in ({}, {"tasks": ["vqa"]}, {"what": "cost"}):
        assert file.table(**choices) == folder.table(**choices)
    said = file.table(tasks="vqa").notes
    assert "pretraining: 36,000 samples of digits" in said and any(note.startswith("vqa: fine-tuned") for note in said)
    assert not any(note.startswith("captioning: fine-tuned") for note in said)
    file.export(written.with_name("again.parquet"))
    assert load(written.with_name("again.parquet")).table() == folder.table()


def test_notes_are_of_the_cells_that_they_were_told_of(another: Any, written: Path) -> None:
    other = another()
    other.done("c", 0, {"accuracy": 50.0})
    both = load(other.folder, written).table().notes
    assert "small: pretraining: 36,000 samples of digits" in both
    fewer = load(written)
    narrow = dataclasses.replace(fewer, frame=fewer.frame[fewer.frame["row"] == "a"])
    assert not any(note.startswith("vqa: fine-tuned") for note in narrow.table().notes)


def test_a_file_without_notes_is_read(grid: Any, written: Path) -> None:
    table = parquet.read_table(written)
    told = json.loads(table.schema.metadata[b"vlpbench"])
    del told["notes"]
    parquet.write_table(table.replace_schema_metadata({b"vlpbench": json.dumps(told).encode()}), written)
    assert load(written).wide().equals(load(grid.folder).wide()) and load(written).kept_notes == ()
