"""Small grids with a plugin of the test's own, run as a person would, and their results to the byte."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.records import CellFolder, StageFolder, cell_folders, stage_folders

GOOD = '''
"""Objectives of a test."""
import math, os, signal, subprocess, sys, threading, time
import torch
from vlpbench.plugin import Objective, Step, hookimpl

class Good(Objective):
    name, needs, trains = "good", frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})
    def encode(self, backbone, batch):
        return {"x": (backbone.image_vector(batch.image) * backbone.text_vector(batch.text)).sum(1)}
    def loss(self, features, batch):
        return Step(1 - features["x"])

FOUND = [Good]

@hookimpl
def vlpbench_objectives():
    return FOUND
'''

GRID = """
schema = 1
name = "small"
plugins = ["mine.py"]
floors = false
tasks = ["retrieval@zero-shot"]
[base]
objective = "good"
backbone = "linear/dual/nano"
data = "digits"
[budget]
samples = 32
batch = 8
[text]
vocabulary = 330
length = 16
[protocol.retrieval]
samples = 16
batch = 8
[data.digits]
train = 40
val = 10
test = 10
questions = 2
"""

RUN_FACTS = {"timing.json", "environment.json", "log.txt", "run.json", "grid.json"}


@dataclass(frozen=True)
class Said:
    """One command's end."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Ground:
    """A grid file with its plugin, and where its results go."""

    folder: Path
    """Where the grid file and the plugin are."""
    results: Path
    """Given as `--results`."""

    @property
    def file(self) -> Path:
        return self.folder / "small.toml"

    @property
    def grid(self) -> str:
        """The grid file without its rows."""
        return self.file.read_text().partition("\n[[rows]]")[0]

    @property
    def home(self) -> Path:
        """The grid's own results."""
        return self.results / "small"

    def write(self, rows: Mapping[str, str], text: str = GRID) -> None:
        """The grid file: rows, each with the lines of its changes."""
        tables = "".join(f'\n[[rows]]\nname = "{name}"\n{changes}\n' for name, changes in rows.items())
        self.file.write_text(text + tables)

    def plugin(self, more: str = "") -> None:
        """The plugin, and more objectives in it."""
        (self.folder / "mine.py").write_text(GOOD + more)

    def say(self, *arguments: str) -> Said:
        """`vlpbench ...` in this process; cells have processes of their own."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
        assert "Traceback" not in out.getvalue() + err.getvalue()
        return Said(code, out.getvalue(), err.getvalue())

    def run(self, *arguments: str) -> Said:
        where = ("--results", str(self.results), "--device", "cpu")
        return self.say("run", "grid", str(self.file), *where, *arguments)

    def cells(self) -> dict[str, CellFolder]:
        """Row and seed -> record; of cells that left one."""
        found = {}
        for folder in cell_folders(self.home):
            asked = folder.read("settings.json")
            found[f"{asked['row']}/{asked['seed']}"] = folder
        return found

    def cell(self, row: str) -> CellFolder:
        return self.cells()[f"{row}/0"]

    def states(self) -> dict[str, str]:
        return {name: folder.state() for name, folder in self.cells().items()}

    def starts(self) -> dict[str, int]:
        """Stage -> how often it was started, ever."""
        return {one.path.name: one.facts()["starts"] for one in stage_folders(self.home)}

    def stage(self, kind: str) -> StageFolder:
        (found,) = [one for one in stage_folders(self.home) if one.path.name.startswith(kind + "-")]
        return found

    def bytes(self, only: str = "") -> dict[str, bytes]:
        """All that must not depend on how often a run was disturbed; of one row alone, where that is asked for."""
        found = {}
        for path in sorted(self.home.rglob("*")):
            name = path.relative_to(self.home)
            mine = not only or name.parts[1:2] == (self.cell(only).path.name,)
            if path.is_file() and path.name not in RUN_FACTS and name.parts[0] != "claims" and mine:
                found[name.as_posix()] = path.read_bytes()
        return found


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ground]:
    """(rows, more objectives) -> a ground of its own."""

    def make(rows: Mapping[str, str], more: str = "", text: str = GRID) -> Ground:
        folder = tmp_path_factory.mktemp("ground")
        found = Ground(folder, folder / "results")
        found.write(rows, text)
        found.plugin(more)
        return found

    return make
