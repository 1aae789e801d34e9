"""A grid small enough to be run by a check: what metrics and report tables are tried on is what cells really leave.

Two rows of two seeds on a built-in world, nothing pretrained and hardly anything learnt: the first row has every task,
the second cannot write captions; one seed of the second has failed, and a third row was never run.
"""

from __future__ import annotations

import atexit
import copy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vlpbench.device import Device
from vlpbench.files import as_json, readable, write_text
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import CellFolder, read_predictions
from vlpbench.registry import Registry
from vlpbench.runner.cell import Hands, folder_of, run_cell
from vlpbench.runner.workbench import opened_here
from vlpbench.tasks.suite import scored

__all__ = ["TASKS", "small_results", "stored_rows"]

TASKS = {
    "vqa": "vqa", "captioning": "captioning", "retrieval": "retrieval", "classification": "classification@probe",
}
"""Task -> what the grid calls it."""

_CAPTION_METRICS = ("Bleu_4", "CIDEr")
_GRID = """
schema = 1
name = "small"
description = "What checks are tried on."
reference = "one-stack"
floors = false
seeds = [0, 1]
tasks = ["vqa", "captioning", "retrieval", "classification@probe"]
[base]
objective = "none"
data = "digits"
[text]
vocabulary = 330
length = 16
[protocol.vqa]
samples = 16
batch = 8
[protocol.captioning]
samples = 16
batch = 8
metrics = ["Bleu_4", "CIDEr"]
[protocol.retrieval]
samples = 16
batch = 8
[data.digits]
kind = "digits"
train = 48
val = 12
test = 12
questions = 3
[[rows]]
name = "one-stack"
backbone = "linear/decoder-only/nano"
[[rows]]
name = "two-towers"
backbone = "linear/dual/nano"
[[rows]]
name = "never-run"
backbone = "linear/encoder-decoder/nano"
"""


@cache
def _folder() -> Path:
    """Where the grid and its results lie until this process ends."""
    kept = TemporaryDirectory(prefix="vlpbench-kit-")
    atexit.register(kept.cleanup)
    return Path(kept.name)


@cache
def _opened() -> tuple[dict[tuple[str, int], Cell], Registry]:
    file = _folder() / "small.toml"
    write_text(file, _GRID)
    grid, registry = open_grid(str(file))
    return {(cell.row, cell.seed): cell for cell in cells(grid, registry, opened_here)}, registry


@cache
def _ran(row: str, seed: int) -> CellFolder:
    """The record of a cell, run when it is first asked for."""
    found, registry = _opened()
    cell, results = found[row, seed], _folder() / "results" / "small"
    run_cell(cell, results, Hands(registry, Device.choose("cpu")))
    return folder_of(cell, results)


@cache
def small_results() -> Path:
    """The results folder: three finished cells, one that failed, and two that were never run."""
    for row, seed in (("one-stack", 0), ("one-stack", 1), ("two-towers", 0), ("two-towers", 1)):
        folder = _ran(row, seed)
    folder.fail("the loss is not finite", {}, {})
    all_cells = _opened()[0]
    results = folder.path.parent.parent
    write_text(results / "grid.json", as_json({
        "schema": 1, "name": "small", "description": "What checks are tried on.",
        "rows": list(dict.fromkeys(row for row, _ in all_cells)), "tasks": list(TASKS.values()), "beside": [],
        "reference": "one-stack", "published": {"one-stack": {"vqa.accuracy": 67.4}},
        "cells": {cell.id: {"row": cell.row, "seed": cell.seed, "reason": None} for cell in all_cells.values()},
    }))
    return results


def stored_rows(task: str) -> list[dict[str, Any]]:
    """Predictions of a task as a record keeps them, scored by the suite; a copy.

    A model that has learnt nothing says the same of everything, so what it says of captions and questions is replaced:
    right for every second, what a floor says for the others, and nothing at all for the last.
    """
    return copy.deepcopy(_rows(task))


@cache
def _rows(task: str) -> list[dict[str, Any]]:
    name = TASKS[task]
    rows = read_predictions(_ran("one-stack", 0).path / "predictions" / f"{readable(name)}.parquet")
    for at, row in enumerate(rows):
        if task == "captioning":
            row["prediction"] = row["references"][0] if at % 2 else row["chance"]
        elif task == "vqa":
            row["prediction"] = row["best"] if at % 2 else row["majority"]
    if task in ("captioning", "vqa"):
        rows[-1]["prediction"] = ""
    scored(name, rows, _CAPTION_METRICS)
    return rows
