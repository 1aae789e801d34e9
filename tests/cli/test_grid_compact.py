"""`vlpbench grid compact`: a small copy that is a results folder itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.files import write_json
from vlpbench.records import CellFolder, StageFolder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A grid of two cells, one of them finished."""
    cell = CellFolder.of(tmp_path / "small", "0" * 12, "a", "s0")
    cell.begin({"grid": "small", "row": "a", "seed": 0, "id": "0" * 12, "settings": {"tasks": ["vqa"]}})
    rows = [{"question_id": at, "image_id": at, "prediction": "yes", "accuracy": at / 2} for at in range(3)]
    scores = {"tasks": {"vqa": {"values": {"accuracy": 50.0}, "reasons": {}}}}
    cell.finish(scores, [{"stage": "vqa", "step": 0, "loss": 1.5}], {"vqa": rows}, {"timing": {"total": 1.0}})
    cells = {f"{at:012x}": {"row": row, "seed": 0, "reason": None} for at, row in enumerate("ab")}
    order = {"name": "small", "description": "", "rows": ["a", "b"], "tasks": ["vqa"], "cells": cells}
    write_json(tmp_path / "small" / "grid.json", order)
    return tmp_path / "small"


def test_it_says_what_was_copied(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grid", "compact", str(results), str(tmp_path / "copy")]) == 0
    assert "small: 1 written, 1 still to be run; " in capsys.readouterr().out
    assert main(["grid", "compact", str(results), str(tmp_path / "copy")]) == 0
    assert "small: 1 there already, 1 still to be run; " in capsys.readouterr().out
    assert main(["grid", "status", str(tmp_path / "copy"), "--json"]) == 0
    assert [one["state"] for one in json.loads(capsys.readouterr().out)["cells"]] == ["done", "pending"]


def test_what_stays_behind_is_told(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = CellFolder.of(results, f"{1:012x}", "b", "s0")
    failed.begin({"grid": "small", "row": "b", "seed": 0, "id": f"{1:012x}", "settings": {}})
    failed.fail("no memory", {}, {})
    old = CellFolder.of(results, "f" * 12, "a", "s0")
    old.begin({"row": "a", "seed": 0, "settings": {}})
    loose = StageFolder.of(results, "pretrain", {})
    loose.begin()
    loose.close({})
    assert main(["grid", "compact", str(results), str(results)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "not copied: b, seed 0: failed: no memory",
        "left alone: 1 stage: cells are still to be run, which may go on from it",
        "left alone: 1 record of earlier settings: see vlpbench grid clean",
    ]
    assert lines[3].startswith("small: 1 written, 1 not copied; ") and len(lines) == 4
    shutil.rmtree(failed.path)
    write_json(results / "grid.json", {**json.loads((results / "grid.json").read_text()), "cells": {
        "0" * 12: {"row": "a", "seed": 0, "reason": None}, f"{1:012x}": {"row": "b", "seed": 0, "reason": "n/a"},
    }})
    assert main(["grid", "compact", str(results), str(results)]) == 0
    assert "removed: 1 stage (weights and predictions)" in capsys.readouterr().out


def test_a_folder_that_is_no_grids(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grid", "compact", str(tmp_path), str(tmp_path / "copy")]) == 2
    assert f"did you mean {results}?" in capsys.readouterr().err
    assert main(["grid", "compact", str(results)]) == 2
    assert "FOLDER" in capsys.readouterr().err
