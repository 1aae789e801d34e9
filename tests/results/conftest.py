"""Results folders with records of known numbers, written by the records' own code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from vlpbench.files import write_json
from vlpbench.records import SCHEMA, CellFolder

UNIT = {
    "accuracy": "vqa", "accuracy[rule=2016]": "vqa", "exact": "vqa", "exact_normalised": "vqa",
    "multiple_choice": "vqa", "Bleu_4": "captioning", "CIDEr": "captioning", "METEOR": "captioning",
    "SPICE": "captioning", "TR@1": "retrieval", "mean_per_class": "classification",
}
FLOORS = {
    "chance": {"accuracy": 2.5, "CIDEr": 0.1, "multiple_choice": 25.0, "mean_per_class": 12.5},
    "majority": {"accuracy": 7.25, "multiple_choice": 46.9},
}


class Grid:
    """A results folder: cells are added one by one, in any state."""

    def __init__(self, folder: Path, name: str = "small", tasks: tuple[str, ...] = ("vqa", "captioning")) -> None:
        self.folder, self.name, self.tasks = folder / name, name, tasks
        self.rows: list[str] = []
        self.cells: dict[str, dict[str, Any]] = {}
        self.beside: list[str] = []
        self.published: dict[str, dict[str, float]] = {}
        self.reference = ""

    def plan(self, row: str, seed: int, reason: str | None = None) -> str:
        """Say that the grid has a cell; its id."""
        cell = f"{len(self.cells):012x}"
        self.cells[cell] = {"row": row, "seed": seed, "reason": reason}
        self.rows = list(dict.fromkeys([*self.rows, row]))
        self.close()
        return cell

    def close(self) -> None:
        write_json(self.folder / "grid.json", {
            "schema": SCHEMA, "name": self.name, "description": "", "rows": self.rows, "tasks": self.tasks,
            "cells": self.cells, "beside": self.beside, "published": self.published,
            "reference": self.reference,
        })

    def begun(self, row: str, seed: int, **settings: Any) -> CellFolder:
        """A cell that has been started and has not ended."""
        cell = self.plan(row, seed)
        folder = CellFolder.of(self.folder, cell, row, f"s{seed}")
        published = settings.pop("published", {})
        folder.begin({
            "grid": self.name, "row": row, "seed": seed, "id": cell, "published": published,
            "settings": {
                "objective": "prefix-lm", "backbone": "conv3/encoder-decoder/nano", "blind": False,
                "tasks": list(self.tasks), "budget": {"samples": 36_000}, "data": "digits", **settings,
            },
        })
        return folder

    def failed(self, row: str, seed: int, cause: str) -> CellFolder:
        folder = self.begun(row, seed)
        folder.fail(cause, {}, {})
        return folder

    def done(self, row: str, seed: int, values: Mapping[str, float | None], **changes: Any) -> CellFolder:
        """A cell with these scores; a value of None has a reason, a task without any value too."""
        folder = self.begun(row, seed, **changes.pop("settings", {}))
        found: dict[str, Any] = {}
        for task in self.tasks:
            mine = {metric: value for metric, value in values.items() if UNIT[metric] == task.partition("@")[0]}
            if not mine:
                found[task] = {"reason": "n/a: needs decode"}
                continue
            found[task] = {
                "protocol": "fine-tune", "head": "decoder", "data": "digits", "split": "test", "select": "last",
                "examples": 20, "fine_tune": {"samples": 6_400, "flops": 9}, "values": mine,
                "reasons": {metric: "there is one image" for metric, value in mine.items() if value is None},
                "floors": {name: {k: v for k, v in floor.items() if k in mine} for name, floor in FLOORS.items()},
                "ceilings": {"accuracy": 91.5} if task == "vqa" else {}, **changes.get("task", {}),
            }
        cost = {"parameters": 600_000, "image_tokens": 16, "samples": 36_000, "targets": 250_000, "flops": 3 * 10**12}
        folder.finish(
            {"tasks": found, "cost": cost, "left_out": changes.get("left_out", {}), **changes.get("scores", {})},
            changes.get("curve", []), changes.get("predictions", {}),
            {"timing": {"total": 12.0 + seed, "seconds": {}}, "environment": {"device": "cpu (x86_64)"}},
        )
        return folder


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    """An empty results folder."""
    return Grid(tmp_path)


@pytest.fixture
def another(tmp_path: Path) -> Callable[..., Grid]:
    """(name, folder) -> one more."""
    return lambda name="other", folder="": Grid(tmp_path / folder, name)


RECORD: dict[str, Any] = {
    "settings": {
        "seed": 0, "objective": "x", "tasks": ["vqa"], "optim": {"lr": 0.002}, "init": {"checkpoint": ""},
        "sources": {"d": {"kind": "digits", "folder": "here"}}, "protocol": {"vqa": {"samples": 32}},
    },
    "versions": {"objective x": 1, "stem": 1, "vlpbench": "0.1.0"},
    "code": {"objective x": "a" * 64, "vlpbench/training": "b" * 64},
    "fingerprints": {"d": "c" * 64, "init.stem": "d" * 64},
    "environment": {
        "device": "cpu", "torch": "2.9.0", "host": "0" * 12, "started": "then", "command": "vlpbench run grid",
        "versions": {"numpy": "2.0", "torch": "2.9.0"},
    },
    "curve": [{"stage": "pretrain", "step": 5 * step, "loss": 4.0 - step, "lr": 0.1} for step in range(3)],
    "values": {"accuracy": 40.0, "accuracy[kind=where]": 10.0},
    "rows": [{"question_id": at, "prediction": "yes", "probability": 0.5} for at in range(4)],
}
"""What `record` writes where nothing else is said."""


def changed(whole: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The same with other values under keys like settings/optim/lr; "-" takes a key away."""
    found = json.loads(json.dumps(whole))
    for key, value in changes.items():
        *path, last = key.split("/")
        table = found
        for one in path:
            table = table[int(one) if isinstance(table, list) else one]
        where = int(last) if isinstance(table, list) else last
        if value == "-":
            del table[where]
        else:
            table[where] = value
    return found


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """record("grid", row, seed, id, {"settings/optim/lr": 0.1}) writes a finished cell with all that can differ."""

    def write(grid: str, row: str, seed: int, cell: str, changes: Mapping[str, Any] | None = None) -> Path:
        whole = changed(RECORD, changes or {})
        folder = CellFolder.of(tmp_path / grid, cell, row, f"s{seed}")
        asked = {key: whole[key] for key in ("settings", "versions", "code", "fingerprints") if key in whole}
        folder.begin({"grid": grid, "row": row, "seed": seed, "id": cell, **asked})
        scores = {"tasks": {"vqa": {"values": whole["values"], "reasons": whole.get("reasons", {})}}}
        facts = {"environment": whole["environment"]} if "environment" in whole else {}
        folder.finish(scores, whole["curve"], {"vqa": whole["rows"]}, facts)
        return folder.path

    return write
