"""A compact record: the same but for what is large, whole or not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.records import CellFolder, read_predictions
from vlpbench.records.compact import is_copied, write_compact

CURVE = [{"stage": "pretrain", "step": at, "loss": 1 / (at + 3)} for at in range(9)]
ANSWERS = [{"question_id": at, "accuracy": at / 3, "prediction": "yes", "question": "why?"} for at in range(4)]
KEPT = {"vqa@decoder": ["question_id", "accuracy"]}


@pytest.fixture
def cell(tmp_path: Path) -> CellFolder:
    found = CellFolder.of(tmp_path / "grid", "0" * 12, "a", "s0")
    found.begin({"row": "a"})
    (found.path / "log.txt").write_text("said")
    found.finish({"tasks": {}}, CURVE, {"vqa@decoder": ANSWERS}, {"timing": {"total": 1.0}, "environment": {"x": "y"}})
    return found


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["in place", "elsewhere"])
def small(cell: CellFolder, tmp_path: Path, request: Any) -> CellFolder:
    folder = cell.path if request.param == "in place" else tmp_path / "copy"
    write_compact(cell, folder, KEPT)
    return CellFolder(folder)


def test_it_is_done_and_says_the_same(small: CellFolder) -> None:
    assert small.state() == "done" and small.is_compact
    assert names(small.path) == {
        "settings.json", "scores.json", "timing.json", "environment.json", "status.json", "curve.jsonl.xz",
        "examples/vqa-decoder.parquet",
    }
    assert small.curve() == CURVE and small.facts("timing") == {"total": 1.0}
    assert read_predictions(small.examples("vqa@decoder")) == [
        {"question_id": at, "accuracy": at / 3} for at in range(4)
    ]
    assert not (small.path / "predictions").exists()


def test_it_says_of_what_it_is_a_copy(cell: CellFolder, tmp_path: Path) -> None:
    was = cell.status()["files"]
    assert not is_copied(cell, tmp_path / "copy") and not is_copied(cell, cell.path)
    write_compact(cell, tmp_path / "copy", KEPT)
    assert is_copied(cell, tmp_path / "copy")
    assert CellFolder(tmp_path / "copy").status()["compact"] == {"files": was}
    write_compact(CellFolder(tmp_path / "copy"), tmp_path / "second", {})
    assert is_copied(CellFolder(tmp_path / "copy"), tmp_path / "second") and is_copied(cell, tmp_path / "second")
    for name in names(tmp_path / "copy"):
        assert (tmp_path / "copy" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_what_needs_predictions_says_what_to_do(small: CellFolder) -> None:
    with pytest.raises(UserError, match="keeps scores of single examples, and no predictions") as raised:
        small.predictions("vqa@decoder")
    assert raised.value.place == str(small.path) and "copied from" in raised.value.remedy


@pytest.mark.parametrize("name", ["curve.jsonl.xz", "examples/vqa-decoder.parquet", "scores.json"])
def test_a_changed_file_is_damage(small: CellFolder, name: str) -> None:
    path = small.path / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert small.state() == "damaged"
    if name.startswith("curve"):
        with pytest.raises(UserError, match="cannot read a record"):
            small.curve()


def test_a_record_without_any_curve_is_damaged(small: CellFolder) -> None:
    (small.path / "curve.jsonl.xz").unlink()
    assert small.state() == "damaged" and small.curve() == []


def test_what_lies_beside_a_record_is_the_users_own(cell: CellFolder) -> None:
    (cell.path / "note.md").write_text("mine")
    (cell.path / "predictions" / "mine.txt").write_text("mine")
    write_compact(cell, cell.path, KEPT)
    assert {"note.md", "predictions/mine.txt"} < names(cell.path) and cell.state() == "done"


def test_leftovers_of_what_was_cut_off_go(cell: CellFolder) -> None:
    status = (cell.path / "status.json").read_bytes()
    write_compact(cell, cell.path, KEPT)
    (cell.path / "curve.jsonl").write_text("\n".join(map(json.dumps, CURVE)))
    (cell.path / "log.txt").write_text("said")
    assert not is_copied(cell, cell.path)
    write_compact(cell, cell.path, {})
    assert is_copied(cell, cell.path) and not (cell.path / "log.txt").exists()
    assert (cell.path / "status.json").read_bytes() != status


def test_a_cell_that_begins_anew_leaves_nothing_of_it(small: CellFolder) -> None:
    small.begin({"row": "a"})
    assert names(small.path) == {"settings.json"} and not small.is_compact and small.state() == "pending"
