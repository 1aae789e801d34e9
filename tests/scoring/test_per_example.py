from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.records.predictions import read_predictions
from vlpbench.scoring import per_example
from vlpbench.scoring.per_example import check_target, write_rows

ROWS = [
    {"question_id": 7, "prediction": 'a "dog"\n🐕', "always": 0.1 + 0.2, "kind": None},
    {"question_id": 2**60, "prediction": "2020-01-01", "always": 1, "kind": None},
]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl", "rows.json", "rows.PARQUET"])
def test_rows_come_back_as_they_were(tmp_path, name):
    path = tmp_path / name
    write_rows(path, ROWS)
    read = (
        read_predictions(path) if path.suffix.lower() == ".parquet"
        else [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    )
    assert read == ROWS
    assert [type(row["always"]) for row in read] == [float, float]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl"])
def test_ids_of_two_kinds_are_written_as_texts(tmp_path, name):
    write_rows(tmp_path / name, [{"image_id": 7}, {"image_id": "n7"}])
    text = read_predictions(tmp_path / name) if name.endswith("parquet") else (tmp_path / name).read_text()
    assert text in ([{"image_id": "7"}, {"image_id": "n7"}], '{"image_id": "7"}\n{"image_id": "n7"}\n')


def test_ids_beyond_64_bits_are_written_as_texts(tmp_path):
    write_rows(tmp_path / "rows.parquet", [{"image_id": 2**63}, {"image_id": 7}])
    assert read_predictions(tmp_path / "rows.parquet") == [{"image_id": str(2**63)}, {"image_id": "7"}]


@pytest.mark.parametrize(
    ("name", "near"), [("rows.parqet", "rows.parquet"), ("rows.csv", "rows.jsonl"), ("rows", "rows.jsonl")]
)
def test_other_suffixes_are_refused_with_the_nearest(tmp_path, name, near):
    with pytest.raises(UserError, match="Parquet or JSON lines") as wrong:
        check_target(tmp_path / name)
    assert near in wrong.value.remedy


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "x.json").mkdir()
    with pytest.raises(UserError, match="a folder"):
        check_target(tmp_path / "x.json")


def test_a_folder_that_cannot_be_is_found_out_before_scoring(tmp_path, monkeypatch):
    (tmp_path / "answers.json").write_text("[]")
    with pytest.raises(UserError, match=r"'answers\.json' is a file, not a folder"):
        check_target(tmp_path / "answers.json" / "deep" / "rows.jsonl")
    check_target(tmp_path / "made" / "later" / "rows.jsonl")
    assert not (tmp_path / "made").exists()
    with pytest.raises(UserError, match="cannot be written: File name too long"):
        check_target(tmp_path / ("x" * 300) / "rows.jsonl")
    monkeypatch.setattr(per_example.os, "access", lambda folder, mode: False)
    with pytest.raises(UserError, match="nothing can be written in"):
        check_target(tmp_path / "made" / "rows.jsonl")


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    write_rows(path, ROWS)
    before = path.read_bytes()

    def broken(target: Path, lines: bytes, kinds: object) -> None:
        target.write_bytes(lines[:10])
        raise OSError("disk full")

    monkeypatch.setattr(per_example, "_write_parquet", broken)
    with pytest.raises(OSError, match="disk full"):
        write_rows(path, ROWS)
    assert path.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["rows.parquet"]
