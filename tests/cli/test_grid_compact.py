"""`vlpbench grid compact`: a small copy that is a results folder itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.files import write_json
from vlpbench.records import CellFolder


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
