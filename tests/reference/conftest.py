"""The analysis script as it is run, and a made-up reference grid for it to derive."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from vlpbench.files import write_json
from vlpbench.records import CellFolder
from vlpbench.results import load

FOLDER = Path(__file__).parents[2] / "results" / "reference"
SCORES = {"full": (50.0, 52.0, 51.0), "no pairs": (40.0, 43.0, 41.5), "like full": (50.5, 51.4, 51.2)}
PUBLISHED = {"full": 67.43, "no pairs": 49.7, "like full": 66.55}
PAGE = """# Made up

The reference has <!-- derived: value full vqa accuracy mean -->51.0<!-- end --> points, `no pairs`
has <!-- derived: difference "no pairs" vqa accuracy mean -->−9.5<!-- end --> to it.

<!-- derived: reproduction -->
<!-- end -->
"""
README = "Seeds: <!-- derived: made count seeds -->?<!-- end -->, of another <!-- derived: gone x -->1<!-- end -->.\n"


@pytest.fixture(scope="session")
def script() -> Iterator[Callable[[str], ModuleType]]:
    """A file of `results/reference/` by its name, imported as Python imports it when it is run."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module
    sys.path.remove(str(FOLDER))
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture(scope="session")
def derive(script: Callable[[str], ModuleType]) -> Callable[..., tuple[int, str]]:
    """derive(*words) -> exit code and what is printed."""
    main = script("derive").main

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*map(str, words)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    return run


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, derive: Callable[..., tuple[int, str]]) -> Path:
    """A repository with a README and one reference grid, all derived."""
    root = tmp_path_factory.mktemp("made")
    home = root / "results" / "reference"
    write_records(root / "made")
    (home / "made").mkdir(parents=True)
    load(root / "made").export(home / "made" / "frame.parquet")
    (home / "made" / "RESULTS.md").write_text(PAGE, encoding="utf-8")
    (root / "README.md").write_text(README, encoding="utf-8")
    code, _ = derive("--home", str(home))
    assert code == 0
    return root


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """The same, to be spoilt."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def write_records(folder: Path) -> None:
    """Finished cells of three rows and three seeds, with what a paper prints."""
    cells = {}
    for row, scores in SCORES.items():
        for seed, score in enumerate(scores):
            cell = f"{len(cells):012x}"
            cells[cell] = {"row": row, "seed": seed, "reason": None}
            record = CellFolder.of(folder, cell, row, f"s{seed}")
            record.begin({
                "grid": "made", "row": row, "seed": seed, "id": cell, "published": {"vqa.accuracy": PUBLISHED[row]},
                "settings": {
                    "objective": "prefix-lm", "backbone": "conv3/encoder-decoder/nano", "blind": False,
                    "tasks": ["vqa"], "budget": {"samples": 64}, "data": "shapes",
                },
            })
            vqa = {
                "protocol": "fine-tune", "head": "decoder", "data": "shapes", "split": "test", "select": "last",
                "examples": 40, "fine_tune": {"samples": 64, "flops": 9}, "values": {"accuracy": score}, "reasons": {},
                "floors": {"chance": {"accuracy": 2.5}},
            }
            cost = {"parameters": 600_000, "image_tokens": 16, "samples": 64, "targets": 500, "flops": 3 * 10**12}
            record.finish({"tasks": {"vqa": vqa}, "cost": cost, "left_out": {}}, [], {}, {"timing": {"total": 9.0}})
    write_json(folder / "grid.json", {
        "name": "made", "description": "", "rows": list(SCORES), "tasks": ["vqa"], "cells": cells, "reference": "full",
        "beside": ["flops"], "published": {row: {"vqa.accuracy": value} for row, value in PUBLISHED.items()},
    })
