"""`vlpbench diff` as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.records import CellFolder


def cell(results: Path, row: str, seed: int, accuracy: float) -> Path:
    folder = CellFolder.of(results, f"{seed}{'0' * 11}", row, f"s{seed}")
    folder.begin({"row": row, "seed": seed, "id": f"{seed}{'0' * 11}", "settings": {"objective": row, "seed": seed}})
    scores = {"tasks": {"vqa": {"values": {"accuracy": accuracy}, "reasons": {}}}}
    folder.finish(scores, [{"stage": "pretrain", "step": 0, "loss": 1.0}], {}, {"environment": {"device": "cpu"}})
    return folder.path


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    cell(tmp_path / "small", "x", 0, 40.0)
    cell(tmp_path / "small", "y", 1, 41.0)
    return tmp_path / "small"


def test_two_cells(results, capsys):
    assert main(["diff", "small:x-s0", "small:y-s1"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("A  x, seed 0  (000000000000, done)  small/cells/x-s0-000000000000\n")
    assert "vqa.accuracy  40  41  +1" in shown
    assert shown.endswith("The numbers differ, and so does what decides them: settings, seed.\n")


def test_as_json(results, capsys):
    assert main(["diff", "--json", "small:x-s0", "small:y-s1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["why"]["seed"] == [{"key": "seed", "a": 0, "b": 1}]
    assert found["outcome"]["scores"] == [{"name": "vqa.accuracy", "a": 40.0, "b": 41.0, "reason": ""}]
    assert found["a"]["state"] == "done" and found["verdict"]


def test_a_folder_with_itself(results, capsys):
    assert main(["diff", "small", "small/"]) == 0
    assert capsys.readouterr().out.endswith("2 pairs of finished cells: 2 of equal numbers, 0 of others.\n")
    assert main(["diff", "small", "small", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["pairs"]) == 2


def test_mistakes_are_told(results, capsys):
    assert main(["diff", "small:x-s0", "small:x-s9"]) == 2
    assert "did you mean 'x-s0" in capsys.readouterr().err
    assert main(["diff", "small", "smal"]) == 2
    assert "there is no smal" in capsys.readouterr().err
    assert main(["diff", "small"]) == 2
    assert "Missing argument 'B'" in capsys.readouterr().err


def test_it_needs_neither_torch_nor_pandas(results):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vlpbench", "diff", "small", "small"],
        cwd=results.parent, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "vlpbench.results.difference" in imported and not imported & {"torch", "pandas"}
