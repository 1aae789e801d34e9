"""`run score`: the metrics again from stored predictions; what is right stays as it is, what is not is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.errors import UserError
from vlpbench.metrics import VERSION
from vlpbench.records import CellFolder, cell_folders
from vlpbench.registry import load_registry
from vlpbench.runner.rescoring import done_cells, rescore

ROWS = ("words", "pairs")


@pytest.fixture
def copy(short: Any, tmp_path: Path) -> Path:
    """A grid's results that a test may change."""
    for row in ROWS:
        short.run(row)
    shutil.copytree(short.results / "cells", tmp_path / "short" / "cells")
    return tmp_path / "short"


def cell(results: Path, row: str) -> CellFolder:
    (found,) = [one for one in cell_folders(results) if one.read("settings.json")["row"] == row]
    return found


def every_file(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edited(folder: CellFolder, **scores: Any) -> dict[str, Any]:
    """Write other scores into a record, which is as whole as before; returns what it said."""
    was: dict[str, Any] = folder.read("scores.json")
    folder.score_again({**json.loads(json.dumps(was)), **scores}, {})
    assert folder.state() == "done"
    return was


def test_what_is_right_stays_to_the_last_byte(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = every_file(copy)
    assert main(["run", "score", str(copy)]) == 0
    said = capsys.readouterr()
    assert every_file(copy) == before
    assert "6 tasks of 2 cells scored again, 0 values changed" in said.out
    assert "| words" in said.out and "| pairs" in said.out, "the table follows"
    assert "scoring 2 cells" in said.err and "->" not in said.out


def test_a_score_that_was_another_is_restored_and_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = cell(copy, "words")
    before = every_file(copy)
    tasks = words.read("scores.json")["tasks"]
    right = tasks["captioning"]["values"]["CIDEr"]
    tasks["captioning"]["values"]["CIDEr"] = 9.75
    tasks["captioning"]["floors"] = {}
    edited(words, tasks=tasks)
    assert main(["run", "score", str(copy)]) == 0
    said = capsys.readouterr().out
    assert f"words, seed 0, captioning: CIDEr 9.75 -> {right:.6g}" in said
    assert "1 value changed" in said
    assert every_file(copy) == before


def test_an_older_version_of_the_metrics_is_raised(copy: Path) -> None:
    words = cell(copy, "words")
    was = edited(words, metrics=VERSION - 1)
    rescore(words, load_registry())
    assert words.read("scores.json") == was and was["metrics"] == VERSION


def test_what_was_none_is_told_and_run_facts_stay(copy: Path) -> None:
    words = cell(copy, "words")
    tasks = words.read("scores.json")["tasks"]
    right = tasks["vqa"]["values"]["accuracy"]
    tasks["vqa"]["values"]["accuracy"] = None
    timing = words.read("timing.json")
    edited(words, tasks=tasks)
    (vqa,) = [one for one in rescore(words, load_registry()) if one.task == "vqa"]
    assert vqa.changed == {"accuracy": (None, right)} and (vqa.row, vqa.seed) == ("words", 0)
    assert words.read("timing.json") == timing and words.state() == "done"


def test_a_reason_is_no_prediction(copy: Path) -> None:
    pairs = cell(copy, "pairs")
    tasks = pairs.read("scores.json")["tasks"]
    unasked = {task for task, said in tasks.items() if "reason" in said}
    assert unasked == {"captioning"}
    assert {one.task for one in rescore(pairs, load_registry())} == set(tasks) - unasked
    assert pairs.read("scores.json")["tasks"] == tasks


def test_caption_metrics_are_added_by_name(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = cell(copy, "words")
    before = words.read("scores.json")["tasks"]
    settings = json.loads((words.path / "settings.json").read_text())
    settings["settings"]["protocol"]["captioning"]["metrics"] = ["CIDEr"]
    (words.path / "settings.json").write_text(json.dumps(settings))
    few = {"CIDEr": before["captioning"]["values"]["CIDEr"]}
    edited(words, tasks={**before, "captioning": {**before["captioning"], "values": few}})
    assert main(["run", "score", str(copy), "--metrics", " Bleu_1, CIDEr"]) == 0
    assert "captioning: Bleu_1 none -> " in capsys.readouterr().out
    after = words.read("scores.json")["tasks"]
    assert after["captioning"]["values"] == {key: before["captioning"]["values"][key] for key in ("Bleu_1", "CIDEr")}
    assert {task: after[task] for task in ("vqa", "retrieval")} == {task: before[task] for task in ("vqa", "retrieval")}
    assert main(["run", "score", str(copy)]) == 0
    assert words.read("scores.json")["tasks"] == after, "what was added stays"
    assert main(["run", "score", str(copy), "--metrics", "CIDR"]) == 2
    assert "did you mean 'CIDEr'?" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.java
def test_meteor_comes_later_where_java_was_not_there_at_first(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = cell(copy, "words")
    was = words.read("scores.json")["tasks"]["captioning"]
    assert was["values"]["METEOR"] is None and "Java" in was["reasons"]["METEOR"]
    assert main(["run", "score", str(copy)]) == 0
    now = words.read("scores.json")["tasks"]["captioning"]
    assert 0 <= now["values"]["METEOR"] <= 1 and "METEOR" not in now["reasons"]
    assert "captioning: METEOR none -> " in capsys.readouterr().out
    assert {**now["values"], "METEOR": None} == was["values"]


def test_cut_off_between_its_files_a_record_counts_as_damaged(copy: Path) -> None:
    words = cell(copy, "words")
    (words.path / "scores.json").write_text(json.dumps(words.read("scores.json") | {"metrics": 0}))
    assert words.state() == "damaged"
    assert [one.path for one in done_cells(copy)] == [cell(copy, "pairs").path], "and is left to `run grid`"


def test_a_folder_without_finished_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="no finished cell in"):
        done_cells(tmp_path)
    assert main(["run", "score", str(tmp_path / "nowhere")]) == 2
    assert "name a grid's results" in capsys.readouterr().err
