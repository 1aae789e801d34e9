"""One small grid, run once for all tests: rows that end well, rows that cannot be run, rows that fail in every way."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.device import Device
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import CellFolder
from vlpbench.registry import Registry
from vlpbench.runner.cell import Hands, folder_of, run_cell
from vlpbench.runner.plan import Plan, plan_grid
from vlpbench.runner.workbench import opened_here
from vlpbench.training.pace import PACE, Pace

PLUGIN = '''
"""Objectives that fail, each in its own way, and an observer."""
import json, math, multiprocessing, os, pathlib
import torch
from vlpbench.plugin import Objective, Step, hookimpl

class Good(Objective):
    name, needs, trains = "good", frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})
    def encode(self, backbone, batch):
        return {"x": (backbone.image_vector(batch.image) * backbone.text_vector(batch.text)).sum(1)}
    def loss(self, features, batch):
        return Step(1 - features["x"])

class NoStart(Good):
    name = "no-start"
    def __init__(self, config, spec):
        super().__init__(config, spec)
        raise LookupError("no start today")

class Third(Good):
    name = "third"
    def loss(self, features, batch):
        if float(batch.progress) >= 0.5:
            raise ArithmeticError("the third step")
        return super().loss(features, batch)

class Nan(Good):
    name = "nan"
    def loss(self, features, batch):
        return Step(super().loss(features, batch).losses + torch.where(batch.progress >= 0.5, math.nan, 0.0))

class Exits(Good):
    name = "exits"
    @staticmethod
    def corrupt(batch, rng, config):
        if float(batch.progress) >= 0.5:
            print("so long", flush=True)
            os._exit(7)
        return {}

class Misshapen(Good):
    name = "misshapen"
    @staticmethod
    def corrupt(batch, rng, config):
        return {"known": rng.random(3)}

@hookimpl
def vlpbench_objectives():
    return [Good, NoStart, Third, Nan, Exits, Misshapen]

@hookimpl
def vlpbench_cell_finished(record):
    with open(os.environ["HEARD"], "a") as file:
        file.write(json.dumps([record["settings"]["row"], record["status"]["state"], sorted(record)]) + "\\n")
'''

GRID = """
schema = 1
name = "mixed"
plugins = ["failing.py"]
tasks = ["vqa", "captioning", "retrieval@zero-shot"]
[base]
backbone = "linear/encoder-decoder/nano"
data = "digits"
[budget]
samples = 40
batch = 8
[text]
vocabulary = 330
length = 16
[protocol.vqa]
samples = 16
batch = 8
[protocol.captioning]
samples = 16
batch = 8
[data.digits]
kind = "digits"
train = 40
val = 10
test = 10
questions = 2
"""

ROWS = {
    "plain": 'objective = "none"',
    "words": 'objective = "prefix-lm"',
    "towers": 'objective = "good"\nbackbone = "linear/dual/nano"',
    "impossible": 'objective = "prefix-lm"\nbackbone = "linear/dual/nano"',
}
FAILING = {name: f'objective = "{name}"' for name in ("no-start", "third", "nan", "exits", "misshapen")}


@dataclass(frozen=True)
class Ran:
    """A grid that was run, and all that can be asked of it."""

    file: Path
    """The grid file."""
    results: Path
    """Where it was told to leave its results."""
    code: int = 0
    """The exit code of the run."""
    out: str = ""
    """What it printed."""
    err: str = ""
    """What it told on the way."""
    heard: list[Any] = field(default_factory=list)
    """What the observer was told."""

    def plan(self, *overrides: str, retry: bool = False) -> Plan:
        """What another run would do."""
        grid, registry = open_grid(str(self.file), overrides)
        return plan_grid(grid, registry, self.results, retry)

    def registry(self) -> Registry:
        return open_grid(str(self.file))[1]

    def cell(self, row: str) -> Cell:
        (found,) = [cell for cell in self.plan().cells if cell.row == row]
        return found

    def folder(self, row: str) -> CellFolder:
        return CellFolder(self.results / "mixed" / "cells" / self.cell(row).folder)

    def again(self, *arguments: str) -> Ran:
        """Run it once more, in the same place."""
        return run(self.file, self.results, arguments)


def run(file: Path, results: Path, arguments: Sequence[str] = ()) -> Ran:
    """`vlpbench run grid FILE --results RESULTS` in this process; cells have processes of their own."""
    out, err = io.StringIO(), io.StringIO()
    heard = Path(os.environ["HEARD"])
    heard.write_text("")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["run", "grid", str(file), "--results", str(results), "--device", "cpu", *arguments])
    told = [json.loads(line) for line in heard.read_text().splitlines()]
    return Ran(file, results, code, out.getvalue(), err.getvalue(), told)


Write = Callable[..., Path]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """(rows) -> a grid file with the failing plugin beside it."""

    def write(rows: dict[str, str], text: str = GRID) -> Path:
        folder = tmp_path_factory.mktemp("grid")
        (folder / "failing.py").write_text(PLUGIN)
        tables = "".join(f'\n[[rows]]\nname = "{name}"\n{changes}\n' for name, changes in rows.items())
        (folder / "mixed.toml").write_text(text + tables)
        return folder / "mixed.toml"

    return write


@pytest.fixture(scope="session", autouse=True)
def _heard(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Where the observer writes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEARD", str(tmp_path_factory.mktemp("heard") / "heard.jsonl"))
        yield


@pytest.fixture(scope="session")
def ran(written: Write, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """All rows, good and bad. Tests leave it as it is."""
    return run(written(ROWS | FAILING), tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def twin(written: Write, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The good rows alone, in another folder, one cell at a time. Tests may break it, and mend it again."""
    return run(written(ROWS), tmp_path_factory.mktemp("twin"), ["--jobs", "1"])


SHORT = """
schema = 1
name = "short"
floors = false
tasks = ["vqa", "captioning", "retrieval", "retrieval@match@zero-shot"]
[base]
objective = "prefix-lm"
backbone = "linear/encoder-decoder/nano"
data = "digits"
[budget]
samples = 32
batch = 8
[text]
vocabulary = 330
length = 16
[protocol.vqa]
samples = 16
batch = 8
[protocol.captioning]
samples = 16
batch = 8
[protocol.retrieval]
samples = 16
batch = 8
shortlist = 5
[data.digits]
train = 40
val = 10
test = 12
questions = 2
"""

SHORT_ROWS = {
    "words": "",
    "single": 'backbone = "linear/decoder-only/nano"',
    "none": 'objective = "none"',
    "pairs": 'objective = "contrastive + image-text-matching"\nbackbone = "linear/dual-fusion/nano"',
}


@dataclass(frozen=True)
class Short:
    """A grid of good rows alone, each run in this process as it is asked for."""

    file: Path
    """The grid file."""
    results: Path
    """Its results."""

    def run(self, row: str, *overrides: str, pace: Pace = PACE, results: Path | None = None) -> CellFolder:
        """The record of a row's cell, finished; one that is there already is not run again."""
        grid, registry = open_grid(str(self.file), overrides)
        (cell,) = [cell for cell in cells(grid, registry, opened_here) if cell.row == row]
        where = results or self.results
        folder = folder_of(cell, where)
        if folder.state() != "done":
            assert run_cell(cell, where, Hands(registry, Device("cpu"), pace)), folder.status()
        return folder


@pytest.fixture(scope="session")
def short(written: Write, tmp_path_factory: pytest.TempPathFactory) -> Short:
    """Rows that end well. Tests leave the records as they are, and copy what they change."""
    return Short(written(SHORT_ROWS, SHORT), tmp_path_factory.mktemp("short") / "short")
