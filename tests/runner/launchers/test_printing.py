"""The lines of a grid for a queue of one's own: whole, quoted, and makers of shared stages first."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from vlpbench.cli.main import main
from vlpbench.plugin import Job, Place
from vlpbench.registry import load_registry
from vlpbench.runner.launchers.printing import Call, Printing, command_of, line_of, makers_first
from vlpbench.testing import parametrize_launcher_checks
from vlpbench.testing.launcher_job import Errand


@dataclass(frozen=True)
class Cell:
    """As much of a cell as a command names."""

    id: str


@parametrize_launcher_checks([Printing])
def test_it_is_a_launcher_that_runs_nothing(launcher, check):
    check(launcher)


def test_it_can_be_found_by_name():
    assert load_registry().launcher("print") is Printing
    assert Printing.runs is False


def test_a_command_says_all_that_was_typed(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    call = Call(
        "my grid.toml", Path("out"), ("optim.lr=3e-4", "seeds=[0, 1]"), (Path("mine.py"),), ("loud",),
        ("--device", "cpu"),
    )
    assert command_of([Cell("98224391dd64")], call) == (
        sys.executable, "-m", "vlpbench", "-p", "mine.py", "--no-plugin", "loud", "run", "cell", "my grid.toml",
        "98224391dd64", "--results", "out", "-S", "optim.lr=3e-4", "-S", "seeds=[0, 1]", "--device", "cpu",
    )


def test_the_program_has_its_name_where_the_shell_finds_the_very_one(tmp_path, monkeypatch):
    for folder in ("ours", "another"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "vlpbench").write_text("#!/bin/sh\n")
        (tmp_path / folder / "vlpbench").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "ours" / "python"))
    call = Call("demo", Path("results"))
    monkeypatch.setenv("PATH", str(tmp_path / "ours"))
    assert command_of([Cell("a")], call)[0] == "vlpbench"
    monkeypatch.setenv("PATH", str(tmp_path / "another"))
    assert command_of([Cell("a")], call)[:3] == (sys.executable, "-m", "vlpbench")


def test_the_command_is_one_that_the_program_knows(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    call = Call("no such.toml", tmp_path / "with space", ("seeds=[0]",), options=("--device", "cpu"))
    words = shlex.split(shlex.join(command_of([Cell("a")], call)))
    assert main(words[3:]) == 2
    assert "there is no grid file no such.toml" in capsys.readouterr().err


STAGES = {"a0": ("p", "a"), "b0": ("p", "b"), "c0": ("p",), "d0": ("q",), "e0": ("q", "p"), "f0": (), "g0": ("b",)}


def test_makers_of_shared_stages_come_first_else_the_order_stays():
    found = makers_first(map(Cell, STAGES), lambda cell: STAGES[cell.id])
    assert [cell.id for cell in found] == ["a0", "b0", "d0", "f0", "c0", "e0", "g0"]
    assert makers_first([], lambda cell: ()) == []


def test_a_printed_line_runs_as_it_stands(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KNOWN", "already")
    word = "two 'quoted' words; $HOME `date`"
    job = Job(
        "a", Errand("note", str(tmp_path), "job").command(), tmp_path / "log.txt",
        environment={"KNOWN": "already", "NEW": word},
    )
    started = Printing(Place("cpu")).start(job, 0)
    assert started.ended() == 0
    started.stop()
    started.kill()
    assert not any(tmp_path.iterdir()), "nothing was run"
    (line,) = capsys.readouterr().out.splitlines()
    assert line == line_of(job) and "KNOWN" not in line
    subprocess.run(["sh", "-c", line], check=True)
    assert json.loads((tmp_path / "job.note").read_text())["environment"]["NEW"] == word


def test_a_command_without_new_variables_is_printed_bare(monkeypatch):
    monkeypatch.setenv("KNOWN", "already")
    job = Job("a", ("vlpbench", "run", "cell", "my grid", "a"), Path("log.txt"), environment={"KNOWN": "already"})
    assert line_of(job) == "vlpbench run cell 'my grid' a"
