"""Pictures that a cell learns from and is scored on: looked for once a set of data sets, told in each record."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vlpbench.config.task_name import parse_task
from vlpbench.data.folders import cache_folder
from vlpbench.data.overlap import overlap, shown
from vlpbench.files import digest, write_json
from vlpbench.runner.workbench import Workbench

__all__ = ["overlaps"]

VERSION = 1
"""Raised when the same pictures give another answer."""


def overlaps(bench: Workbench) -> dict[str, dict[str, Any]]:
    """Data set that a task is scored on -> exact, near, of, first: how much of it pretraining or fine-tune saw.

    A cell that only tests (all its tasks zero-shot, nothing pretrained) has nothing to compare.
    """
    found = {}
    for name in sorted(bench.tested_data):
        learnt = _learnt(bench, name)
        if learnt:
            found[name] = _between(bench, learnt, name)
    return found


def _learnt(bench: Workbench, tested: str) -> list[tuple[str, str]]:
    """The splits whose pictures decided a model before it was scored on `tested`: val, where it fitted or chose."""
    pretrained = bench.pretraining_data if bench.settings.objective != "none" else ()
    asked = {parse_task(task).protocol for task, one in bench.settings.protocol.items() if one.data == tested}
    found = {(name, "train") for name in pretrained}
    if asked - {"zero-shot"}:
        found.add((tested, "train"))
    chosen = bench.settings.select == "validation" or bool(bench.settings.tune.tries)
    if ("probe" in asked or (chosen and asked - {"zero-shot"})) and bench.settings.split == "test":
        found.add((tested, "val"))
    return sorted(found)


def _between(bench: Workbench, learnt: list[tuple[str, str]], tested: str) -> dict[str, Any]:
    split, prints = bench.settings.split, bench.cell.fingerprints
    decided_by = {
        "version": VERSION, "learnt": [(prints[name], name, one) for name, one in learnt],
        "tested": (prints[tested], tested, split), "pixels": bench.stored, "on_bad": bench.settings.on_bad_sample,
    }
    path: Path = cache_folder() / "overlaps" / f"{digest(decided_by)[:16]}.json"
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or cut off: looked for again
        trained = [shown(name, bench.dataset(name), bench.split(name, one, "train")) for name, one in learnt]
        tests = [shown(tested, bench.dataset(tested), bench.split(tested, split, "evaluate"))]
        held = json.loads(json.dumps(asdict(overlap(trained, tests))))
        write_json(path, held)
    return held
