"""A small grid with one cell of each kind: records, stages and claims as the runner writes them, nothing trained."""


from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.files import write_json
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import Claims
from vlpbench.registry import Registry
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import stages_of
from vlpbench.runner.workbench import opened_here
from vlpbench.runner.worker import claim_name

GRID = """
schema = 1
name = "small"
floors = false
tasks = ["vqa"]
[base]
backbone = "linear/dual/nano"
objective = "contrastive"
data = "digits"
[budget]
samples = 64
batch = 16
[protocol.vqa]
samples = 32
batch = 8
[data.digits]
train = 40
val = 8
test = 8
[[rows]]
name = "good"
[[rows]]
name = "bad"
"optim.lr" = 0.125
[[rows]]
name = "running"
"optim.lr" = 0.25
[[rows]]
name = "changed"
"optim.lr" = 0.5
[[rows]]
name = "more"
"optim.lr" = 0.25
"protocol.vqa.samples" = 48
[[rows]]
name = "impossible"
objective = "prefix-lm"
"""

Say = Callable[..., str]


@dataclass(frozen=True)
class Ground:
    """A grid with one cell of each kind."""

    file: Path
    results: Path
    registry: Registry
    cells: dict[str, Cell]
    """By row."""


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """good: done; bad: failed; running: right now; changed: run with another rate; more: shares a pretraining."""
    monkeypatch.chdir(tmp_path)
    file, results = tmp_path / "small.toml", tmp_path / "results" / "small"
    file.write_text(GRID.replace("0.5", "0.75"))
    grid, registry = open_grid(str(file))
    (earlier,) = [cell for cell in cells(grid, registry, opened_here) if cell.row == "changed"]
    done(earlier, results, registry)
    file.write_text(GRID)
    found = {cell.row: cell for cell in cells(open_grid(str(file))[0], registry, opened_here)}
    done(found["good"], results, registry)
    folder = folder_of(found["bad"], results)
    folder.begin(described(found["bad"], registry))
    (folder.path / "log.txt").write_text("".join(f"step {number}\n" for number in range(30)))
    trace = 'Traceback (most recent call last):\n  File "mine.py", line 14, in loss\nArithmeticError: three\n'
    folder.fail("ArithmeticError: three", {"traceback": trace, "remedy": "mend it"}, {"timing": {"total": 7.0}})
    write_json(results / "grid.json", {
        "schema": 1, "name": "small", "description": "", "rows": [*found], "tasks": ["vqa"], "cells": {
            cell.id: {"row": cell.row, "seed": cell.seed, "reason": cell.reason} for cell in found.values()
        },
    })
    claims = Claims(results / CLAIMS)
    stage = next(iter(stages_of(found["running"], results, registry))).folder
    with claims.take(claim_name(found["running"])) as claim, claims.take(stage.path.name):  # type: ignore[union-attr]
        claim.tell("pretrain", 3, 4, {"loss": 1.25})
        wait_for(claim.path, '"pretrain"')
        yield Ground(file, results, registry, found)


def wait_for(path: Path, text: str) -> None:
    """Until the claim has told it."""
    end = time.monotonic() + 20
    while text not in path.read_text() and time.monotonic() < end:
        time.sleep(0.05)


def done(cell: Cell, results: Path, registry: Registry) -> None:
    folder = folder_of(cell, results)
    folder.begin(described(cell, registry))
    folder.finish({"tasks": {}}, [], {}, {"timing": {"total": 61.0}, "environment": {}})


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """(words, code=0) -> what the command prints on stdout and stderr."""

    def said(*words: str, code: int = 0) -> str:
        assert main(["grid", *words] if words[0] != "run" else list(words)) == code
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return shown.out + shown.err

    return said


@pytest.fixture
def line_of() -> Callable[[str, str], str]:
    """(text, word) -> the only line of the text that begins with the word."""

    def line(text: str, word: str) -> str:
        (found,) = [one for one in text.splitlines() if one.startswith(word)]
        return found

    return line


_PLUGIN = """
from vlpbench.plugin import Objective, Step, hookimpl

class Mine(Objective):
    name = "half-said"
    api_version = 1
    def encode(self, backbone, batch):
        return {}
    def loss(self, features, batch):
        return Step(features["x"])

@hookimpl
def vlpbench_objectives():
    return [Mine]
"""


@pytest.fixture
def texts() -> dict[str, str]:
    """Plugins of one objective: good, named like one of ours, not to be imported, ending Python."""
    return {
        "good": _PLUGIN, "thief": _PLUGIN.replace("half-said", "prefix-lm"),
        "broken": "import no_such_thing_here\n" + _PLUGIN.replace("half-said", "simvlm"),
        "ends": "import os\nos._exit(9)\n" + _PLUGIN.replace("half-said", "ender"),
    }


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """site(distribution, text) installs a plugin there; returns the folder."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    made: list[str] = []

    def put(distribution: str, text: str, point: str = "") -> Path:
        module = distribution.replace("-", "_")
        made.append(module)
        (folder / f"{module}.py").write_text(text)
        info = folder / f"{module}-0.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.2\n")
        (info / "entry_points.txt").write_text(f"[vlpbench]\n{point or module} = {module}\n")
        return folder

    yield put
    for module in made:
        sys.modules.pop(module, None)
