"""How a cell goes about its work changes no number: questions at once, and threads that make batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlpbench.records import CellFolder, read_predictions
from vlpbench.training.pace import Pace

FEW = ("seeds=[1]", "tasks=['vqa', 'captioning', 'retrieval', 'retrieval@match@zero-shot', 'captioning@zero-shot']")
NUMBERS = ("probability", "scores")
"""Columns of numbers that a sum over more rows may round otherwise."""


def rows_of(folder: CellFolder) -> dict[str, list[dict[str, Any]]]:
    return {path.stem: read_predictions(path) for path in sorted((folder.path / "predictions").iterdir())}


@pytest.mark.slow
@pytest.mark.parametrize("row", ["words", "single", "pairs"])
def test_at_once_and_workers_change_nothing(short: Any, row: str, tmp_path: Path) -> None:
    """Equal words, answers, ranks and scores at 1, 3 and 64 at once, with no thread and with two."""
    whole = short.run(row, *FEW, results=tmp_path / "64", pace=Pace(at_once=64))
    expected = rows_of(whole)
    scores = whole.read("scores.json")["tasks"]
    assert len(expected) >= 3
    for at_once, workers in ((1, 0), (3, 2)):
        other = short.run(row, *FEW, results=tmp_path / str(at_once), pace=Pace(workers, at_once))
        assert other.curve() == whole.curve(), "batches are the same, whoever makes them"
        for task, rows in rows_of(other).items():
            for one, two in zip(rows, expected[task], strict=True):
                assert {key: one[key] for key in one if key not in NUMBERS} == {
                    key: two[key] for key in two if key not in NUMBERS
                }, (task, at_once)
                for key in NUMBERS:
                    assert one.get(key) == pytest.approx(two.get(key), abs=1e-5)
        for task, said in other.read("scores.json")["tasks"].items():
            assert said.get("values") == scores[task].get("values"), (task, at_once)
            assert said.get("reason") == scores[task].get("reason")
