"""`vlpbench report submission` as it is typed: what it writes and under which name, and what it says to mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.records import CellFolder
from vlpbench.records.compact import write_compact

ANSWERS = [{"question_id": 7, "prediction": "Two dogs."}, {"question_id": 3, "prediction": ""}]
CAPTIONS = [{"image_id": 42, "prediction": "a dog, running"}]
PREDICTIONS = {
    "vqa@fused": ANSWERS, "vqa@choices": ANSWERS, "captioning@zero-shot": CAPTIONS, "retrieval": [{"query": 1}],
}


@pytest.fixture
def cell(tmp_path: Path) -> CellFolder:
    """A finished cell with predictions, and one task that could not be."""
    folder = CellFolder.of(tmp_path / "grid", "0" * 12, "span corruption", "s1")
    folder.begin({"row": "span corruption", "seed": 1, "settings": {"split": "test"}})
    tasks: dict[str, Any] = {task: {"values": {}} for task in PREDICTIONS}
    tasks["captioning"] = {"reason": "n/a: needs decode"}
    folder.finish({"tasks": tasks}, [], PREDICTIONS, {})
    return folder


@pytest.fixture
def submit(cell: CellFolder, tmp_path: Path) -> Callable[..., int]:
    return lambda task, *more: main(["report", "submission", str(cell.path), task, str(tmp_path / "out"), *more])


@pytest.mark.parametrize(
    ("task", "options", "name", "content"),
    [
        ("vqa@fused", (), "vqa_OpenEnded_mscoco_test_span-corruption-s1_results.json",
         [{"question_id": 7, "answer": "Two dogs."}, {"question_id": 3, "answer": ""}]),
        ("vqa@choices", ("--split", "test-dev2015", "--method", "ours", "--data", "abstract_v002"),
         "vqa_MultipleChoice_abstract_v002_test-dev2015_ours_results.json", None),
        ("captioning@zero-shot", ("--split", "test2014"), "captions_test2014_span-corruption-s1_results.json",
         [{"image_id": 42, "caption": "a dog, running"}]),
    ],
)
def test_the_file_of_a_task(task, options, name, content, submit, tmp_path, capsys):
    assert submit(task, *options) == 0
    path = tmp_path / "out" / name
    assert capsys.readouterr().out.startswith(f"{path}: ")
    assert [one.name for one in (tmp_path / "out").iterdir()] == [name]
    if content:
        assert json.loads(path.read_text(encoding="utf-8")) == content


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("retrieval", ["takes retrieval", "tasks with one: captioning@zero-shot, vqa@choices, vqa@fused"]),
        ("vqa@fusd", ["unknown task of this cell 'vqa@fusd'", "did you mean 'vqa@fused'?"]),
        ("captioning", ["captioning has no predictions in this cell: n/a: needs decode"]),
    ],
)
def test_tasks_that_cannot_be_submitted(task, words, submit, tmp_path, capsys):
    assert submit(task) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words) and "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_a_compact_record_has_nothing_to_submit(cell, submit, capsys):
    write_compact(cell, cell.path, {"vqa@fused": ["question_id"]})
    assert submit("vqa@fused") == 2
    said = capsys.readouterr().err
    assert "no predictions" in said and str(cell.path) in said and "copied from" in said


def test_ids_that_the_server_cannot_take(cell, submit, tmp_path, capsys):
    rows = {**PREDICTIONS, "vqa@fused": [{"question_id": "v7w-12", "prediction": "two"}]}
    cell.finish(cell.read("scores.json"), [], rows, {})
    assert submit("vqa@fused") == 2
    assert "'question_id' is no whole number ('v7w-12')" in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*.json"))


def test_a_cell_that_is_not_done_and_a_folder_that_is_none(cell, submit, tmp_path, capsys):
    (cell.path / "predictions" / "retrieval.parquet").unlink()
    assert submit("vqa@fused") == 2
    assert "this cell is damaged, not done" in capsys.readouterr().err
    assert main(["report", "submission", str(tmp_path), "vqa", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "there is no cell here" in said and "results/GRID/cells/" in said
