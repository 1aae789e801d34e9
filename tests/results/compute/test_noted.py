"""What stages took is known where they are gone, and once, whoever holds their folders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from vlpbench.results.compute.noted import noted
from vlpbench.results.compute.stages import note_times, stage_times

LEARN = {"task": "vqa"}


@pytest.fixture
def results(tmp_path: Path, stage: Any) -> Path:
    """A fine-tune inside its predictions, and a pretraining that was begun twice and not ended."""
    learnt = stage(tmp_path, "fine-tune", LEARN, 3.0)
    stage(tmp_path, "predict", {"learnt": learnt.path.name}, 5.0)
    stage(tmp_path, "pretrain", {"of": 1}, 7.0, starts=2, finished=False)
    return tmp_path


def names(results: Path) -> set[str]:
    return {one.name for one in stage_times(results)}


def test_times_stay_when_stages_go(results: Path) -> None:
    before = stage_times(results)
    assert {one.kind: (one.seconds, one.starts, one.finished) for one in before} == {
        "fine-tune": (3.0, 1, True), "predict": (2.0, 1, True), "pretrain": (7.0, 2, False),
    }
    note_times(results, results, names(results))
    assert stage_times(results) == before, "both are there"
    shutil.rmtree(results / "stages")
    assert stage_times(results) == before
    content = (results / "stage_times.json").stat()
    note_times(results, results, names(results))
    assert (results / "stage_times.json").stat().st_mtime_ns == content.st_mtime_ns


def test_what_is_not_left_out_is_not_noted(results: Path, tmp_path: Path) -> None:
    note_times(results, tmp_path / "copy", {one for one in names(results) if one.startswith("predict")})
    assert [one.rpartition("-")[0] for one in noted(tmp_path / "copy")] == ["predict"]


def test_a_stage_that_was_made_anew_took_both_times(results: Path, stage: Any) -> None:
    note_times(results, results, names(results))
    shutil.rmtree(results / "stages")
    stage(results, "pretrain", {"of": 1}, 4.5)
    found = {one.kind: one for one in stage_times(results)}["pretrain"]
    assert (found.seconds, found.starts, found.finished) == (11.5, 3, True)
    note_times(results, results, names(results))
    shutil.rmtree(results / "stages")
    assert {one.kind: one for one in stage_times(results)}["pretrain"] == found


def test_a_copy_keeps_what_it_knew(results: Path, tmp_path: Path, stage: Any) -> None:
    copy = tmp_path / "copy"
    stage(copy, "pretrain", {"of": 2}, 1.0)
    note_times(copy, copy, names(copy))
    shutil.rmtree(copy / "stages")
    note_times(results, copy, names(results))
    assert {one.seconds for one in stage_times(copy)} == {1.0, 2.0, 3.0, 7.0}


@pytest.mark.parametrize("content", ["", "[]", '{"pretrain-x": 3}', '{"pretrain-x": [true, "two", 3, 4]}', "\0"])
def test_a_damaged_note_is_no_error(results: Path, content: str) -> None:
    before = stage_times(results)
    (results / "stage_times.json").write_text(content)
    assert noted(results) == {} and stage_times(results) == before
