"""`vlpbench report reproduction` as it is typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.files import write_json
from vlpbench.records import CellFolder

SCORES = {"full": (50.0, 52.0, 51.0, 53.0), "less": (45.0, 48.0, 45.5, 49.5), "more": (50.1, 52.2, 50.9, 53.1)}
PUBLISHED = {"full": 67.4, "less": 60.0, "more": 68.0}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three rows of four seeds, with what a paper prints."""
    cells = {}
    for row, scores in SCORES.items():
        for seed, score in enumerate(scores):
            cell = f"{len(cells):012x}"
            cells[cell] = {"row": row, "seed": seed, "reason": None}
            folder = CellFolder.of(tmp_path / "g", cell, row, f"s{seed}")
            folder.begin({
                "grid": "g", "row": row, "seed": seed, "id": cell, "published": {"vqa.accuracy": PUBLISHED[row]},
                "settings": {"objective": "none", "backbone": "conv3/dual/nano", "blind": False, "tasks": ["vqa"]},
            })
            cost = {"parameters": 1, "image_tokens": 1, "samples": 1, "targets": 1, "flops": 1}
            vqa = {
                "protocol": "fine-tune", "head": "decoder", "data": "d", "split": "test",
                "fine_tune": {"samples": 1}, "values": {"accuracy": score}, "reasons": {},
            }
            folder.finish({"tasks": {"vqa": vqa}, "cost": cost, "left_out": {}}, [], {}, {})
    write_json(tmp_path / "g" / "grid.json", {
        "name": "g", "description": "", "rows": list(SCORES), "tasks": ["vqa"], "cells": cells, "reference": "full",
        "published": {row: {"vqa.accuracy": value} for row, value in PUBLISHED.items()},
    })
    return tmp_path / "g"


def test_the_answer_goes_to_stdout(results, capsys):
    assert main(["report", "reproduction", str(results), "--margin", "1"]) == 0
    shown = capsys.readouterr()
    lines = [line for line in shown.out.splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in lines] == ["row", "less", "more"]
    assert "| reproduced " in lines[1] and "| no difference of 1 " in lines[2] and "Traceback" not in shown.err
    assert "1 of 2 published signs reproduced (1 of them under Holm, too); of 2, 2 point the published way" in shown.out


def test_choices_reach_the_answer(results, capsys):
    words = ["--baseline", "less", "--metric", "accuracy", "--alpha", "0.1", "--power", "0.9", "--format", "json"]
    assert main(["report", "reproduction", str(results), *words]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["baseline"], found["alpha"], found["power"], found["margin"]) == ("less", 0.1, 0.9, None)
    assert [one["row"] for one in found["rows"]] == ["full", "more"]


def test_for_programs_and_papers(results, capsys):
    assert main(["report", "reproduction", str(results), "--format", "csv"]) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [one["verdict"] for one in lines] == ["reproduced", "not shown"] and float(lines[0]["published"]) == -7.4
    assert main(["report", "reproduction", str(results), "--format", "latex"]) == 0
    assert r"\begin{table}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--baseline", "ful"], "did you mean 'full'?"), (["--metric", "acuracy"], "unknown published metric"),
        (["--power", "80"], "between 0 and 1"), (["--margin", "-1"], "above 0"), (["--format", "xml"], "xml"),
    ],
)
def test_mistakes(words, said, results, capsys):
    assert main(["report", "reproduction", str(results), *words]) == 2
    shown = capsys.readouterr()
    assert said in shown.err and not shown.out and "Traceback" not in shown.err


def test_help_teaches(capsys):
    assert main(["report", "reproduction", "--help"]) == 0
    assert capsys.readouterr().out.count("vlpbench report reproduction results/") == 3
