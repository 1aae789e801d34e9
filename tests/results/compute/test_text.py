"""What was spent as text: to read, a row a line, and everything; unknown is a dash or null, never 0."""

from __future__ import annotations

import csv
import io
import json
from math import nan
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.results import load
from vlpbench.results.compute import Machine, compute, compute_text
from vlpbench.results.compute.wording import machine_text, scaled, time_text


@pytest.mark.parametrize(("hours", "text"), [
    (nan, "–"), (0.0, "0 s"), (0.001, "3.6 s"), (0.5, "30.0 min"), (1.0, "1.00 h"), (12.345, "12.3 h"),
    (1234.5, "1,234 h"),
])
def test_times(hours: float, text: str) -> None:
    assert time_text(hours) == text


@pytest.mark.parametrize(("value", "text"), [
    (nan, "–"), (0, "0"), (999, "999"), (999.7, "1 k"), (4.0255e12, "4.03 T"), (2e30, "2e+09 Z"),
])
def test_large_numbers(value: float, text: str) -> None:
    assert scaled(value) == text
    assert scaled(3e9, "FLOPs") == "3 GFLOPs"


def test_a_machine_in_words() -> None:
    full = Machine("NVIDIA H100", "AMD EPYC", "64", "8", "512 GiB", "80 GiB", "torch 2.9, CUDA 12.8", 3, 2)
    assert machine_text(full) == (
        "NVIDIA H100 with 80 GiB; AMD EPYC, 64 cores (8 used by torch); 512 GiB of main memory; torch 2.9, CUDA 12.8 "
        "(3 cells, on 2 machines)"
    )
    assert machine_text(Machine("cpu", "", "", "", "", "", "", 1, 0)) == "cpu (1 cell)"


def test_rows_stages_and_states(grid: Any, stage: Any, linked: Any, timed: Any) -> None:
    grid.tasks = ("vqa",)
    grid.done("a|b", 0, {"accuracy": 1.0})
    grid.failed("c", 0, "x")
    pretrained = stage(grid.folder, "pretrain", {}, 7200.0)
    linked(grid.folder, "a|b", pretrained, {})
    timed(grid.folder, "a|b", {"pretrain": 7200.0, "vqa": 1800.0}, {"device": "H100"})
    text = compute_text(compute(load(grid.folder)))
    lines = text.splitlines()
    assert lines[0] == "- device: H100 (1 cell)"
    assert lines[1] == "- cells: 1 done, 1 failed"
    assert lines[2].startswith("- time in all: 2.50 h; 3 TFLOPs")
    (row,) = [line for line in lines if line.startswith(r"| a\|b |")]
    assert row.split(" | ")[1:6] == ["1", "2.50 h", "–", "2.00 h", "30.0 min"]
    assert any(line.startswith("| pretrain | 1 | 0 | 1 | 2.00 h |") for line in lines)
    assert "1.00 GiB" in row


def test_csv_and_json_leave_unknown_numbers_empty(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    next((grid.folder / "cells").iterdir()).joinpath("timing.json").unlink()
    found = compute(load(grid.folder))
    (line,) = csv.DictReader(io.StringIO(compute_text(found, "csv")))
    known = [line[name] for name in ("row", "cells", "timed", "hours", "parameters")]
    assert known == ["a", "1", "0", "", "600000"]
    told = json.loads(compute_text(found, "json"))
    assert told["hours"] is None
    assert told["rows"][0]["hours"] is None
    assert told["states"] == [{"state": "done", "cells": 1, "tries": 0, "timed": 0, "hours": 0}]
    assert told["notes"]


def test_an_exported_frame_tells_what_it_can(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.done("a", 1, {"accuracy": 1.0})
    path = grid.folder / "small.parquet"
    load(grid.folder).export(path)
    found = compute(load(path))
    assert found.hours == pytest.approx(25 / 3600)
    assert [(one.row, one.cells, one.parameters) for one in found.rows] == [("a", 2, 600_000)]
    assert found.machines[0].device == "cpu (x86_64)"


def test_compute_as_it_is_typed(grid: Any, capsys: pytest.CaptureFixture[str]) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    assert main(["report", "compute", str(grid.folder), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["row"] == "a"
    assert main(["report", "compute", str(grid.folder / "none")]) == 2
    assert "no records" in capsys.readouterr().err


def test_how_fast_steps_were_is_said_where_records_know(grid: Any) -> None:
    for row in ("a", "b"):
        cell = grid.done(row, 0, {"accuracy": 1.0})
        if row == "a":
            speed = {"pretrain": {"pairs_per_second": 1512.4, "tflops": 0.0314}}
            (cell.path / "timing.json").write_text(json.dumps({"seconds": {}, "total": 12.0, "speed": speed}))
    found = compute(load(grid.folder))
    text = compute_text(found)
    assert "| peak memory | pairs/s | TFLOP/s of steps |" in text
    assert "| 1,512 | 0.0314 |" in text and "| – | – |" in text
    line, other = csv.DictReader(io.StringIO(compute_text(found, "csv")))
    assert (float(line["pairs_per_second"]), other["pairs_per_second"]) == (1512.4, "")
    assert json.loads(compute_text(found, "json"))["rows"][0]["tflops"] == 0.0314
