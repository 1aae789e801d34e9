"""Cells under torchrun, two processes each: the same scores as alone, one record, causes of failures, and stops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.grid import cells, open_grid
from vlpbench.records import CellFolder
from vlpbench.runner.cell import folder_of
from vlpbench.runner.workbench import opened_here

PLUGIN = '''
"""Objectives that fail, or are asked to stop, in the second process alone."""
import os, pathlib, signal
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.plugin import hookimpl

class Failing(PrefixLM):
    name = "failing"
    def encode(self, backbone, batch):
        if os.environ.get("RANK") == "1" and float(batch.progress) > 0:
            raise ArithmeticError("this process has had enough")
        return super().encode(backbone, batch)

class Stopping(PrefixLM):
    name = "stopping"
    def encode(self, backbone, batch):
        if os.environ.get("RANK") == "1" and 0.3 < float(batch.progress) < 0.5:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().encode(backbone, batch)

@hookimpl
def vlpbench_objectives():
    return [Failing, Stopping]
'''

GRID = """
schema = 1
name = "shared"
plugins = ["second.py"]
floors = false
tasks = ["vqa", "captioning"]
[base]
backbone = "conv2/encoder-decoder/nano"
data = "digits"
[budget]
samples = 64
batch = 16
looks = 1
[image]
size = 32
[text]
vocabulary = 330
length = 16
[protocol.vqa]
samples = 32
batch = 16
[protocol.captioning]
samples = 32
batch = 16
[data.digits]
kind = "digits"
train = 40
val = 16
test = 11
questions = 2
[[rows]]
name = "normal"
objective = "prefix-lm + contrastive"
[[rows]]
name = "failing"
objective = "failing"
[[rows]]
name = "stopping"
objective = "stopping"
"""


@dataclass(frozen=True)
class Ran:
    """The cells of a grid, run by two processes, and what these said on the way."""

    file: Path
    results: Path
    code: int
    err: str

    def ids(self) -> dict[str, str]:
        """Row -> id."""
        return {cell.row: cell.id for cell in cells(*open_grid(str(self.file)), opened_here)}

    def record(self, row: str) -> CellFolder:
        """Where the two processes have left a cell's record."""
        (cell,) = (one for one in cells(*open_grid(str(self.file)), opened_here) if one.row == row)
        return folder_of(cell, self.results / "shared")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "second.py").write_text(PLUGIN)
    (folder / "shared.toml").write_text(GRID)
    before = Ran(folder / "shared.toml", folder / "results", 0, "")
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one), "OMP_NUM_THREADS": "1"}
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    asked = ["-m", "vlpbench", "run", "cell", str(before.file), *before.ids().values(), "--results",
             str(before.results), "--device", "cpu"]
    done = subprocess.run([*started, *asked], env=where, capture_output=True, text=True, timeout=300)
    return Ran(before.file, before.results, done.returncode, done.stderr)


def scores_of(record: CellFolder) -> dict[str, Any]:
    return record.read("scores.json")  # type: ignore[no-any-return]


def assert_near(found: Any, expected: Any, where: str = "") -> None:
    """Equal, numbers within the rounding of sums in another order."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            assert_near(found[key], expected[key], f"{where}/{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for at, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_near(one, other, f"{where}/{at}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-6), where
    else:
        assert found == expected, where


def test_a_cell_ends_as_it_does_alone(ran: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = ran.ids()["normal"]
    assert main(["run", "cell", str(ran.file), cell, "--results", str(tmp_path), "--device", "cpu"]) == 0
    capsys.readouterr()
    shared = ran.record("normal")
    alone = CellFolder(tmp_path / "shared" / "cells" / shared.path.name)
    assert shared.state() == "done", ran.err
    mine, other = scores_of(shared), scores_of(alone)
    assert other["cost"].pop("flops") == pytest.approx(mine["cost"].pop("flops"), rel=1e-3)
    assert_near(mine, other)
    curve = [(row["stage"], row["step"]) for row in shared.curve()]
    assert curve == [(row["stage"], row["step"]) for row in alone.curve()]
    for ours, theirs in zip(shared.curve(), alone.curve(), strict=True):
        for name in theirs.keys() & {"loss", "gradient", "validation/loss"}:
            assert ours[name] == pytest.approx(theirs[name], rel=1e-3), (name, theirs["step"])


def test_one_record_says_how_many_there_were(ran: Ran) -> None:
    assert ran.record("normal").facts("environment")["processes"] == "2"
    assert ran.err.count("normal, seed 0: started") == 1, "the first process alone speaks"
    assert not [*(ran.results / "shared" / "claims").iterdir()]


def test_a_failure_in_another_process_is_the_cells(ran: Ran) -> None:
    status = json.loads((ran.record("failing").path / "status.json").read_text())
    assert status["state"] == "failed"
    assert status["cause"] == "rank 1 failed: ArithmeticError: this process has had enough"
    assert "second.py" in status["traceback"], "where it was"


def test_all_stop_where_one_is_asked(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran.code != 0 and "stopped: it goes on from its last checkpoint" in ran.err
    assert ran.record("stopping").state() == "pending"
    (checkpoint,) = (ran.results / "shared" / "stages").glob("pretrain-*/checkpoint/step-*.safetensors")
    assert checkpoint.name == "step-000002.safetensors"
    asked = ["run", "cell", str(ran.file), ran.ids()["stopping"], "--results", str(ran.results), "--device", "cpu"]
    assert main(asked) == 0, "one process goes on where two have stopped"
    assert "done" in capsys.readouterr().out
