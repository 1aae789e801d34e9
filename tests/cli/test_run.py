"""`vlpbench run`: some cells of a grid by their ids, the lines for a queue, and when a run gives up."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

import vlpbench as package
from vlpbench.cli.main import main

GRID = """
schema = 1
name = "tiny"
floors = false
plugins = ["falls.py"]
tasks = ["retrieval@zero-shot"]
[base]
backbone = "linear/dual/nano"
objective = "contrastive"
data = "digits"
[budget]
samples = 24
batch = 8
[data.digits]
train = 24
val = 8
test = 8
[[rows]]
name = "a"
[[rows]]
name = "falls"
objective = "falls"
[[rows]]
name = "more"
tasks = ["retrieval@zero-shot", "retrieval"]
"protocol.retrieval.samples" = 16
"protocol.retrieval.batch" = 8
[[rows]]
name = "falls too"
objective = "falls"
"optim.lr" = 0.5
[[rows]]
name = "b"
"optim.lr" = 0.125
[[rows]]
name = "impossible"
objective = "prefix-lm"
"""

FALLS = '''
"""An objective that falls over at its first step."""
from vlpbench.plugin import Objective, hookimpl

class Falls(Objective):
    name, needs, trains = "falls", frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})
    def encode(self, backbone, batch):
        raise ArithmeticError("the first step")
    def loss(self, features, batch):
        raise AssertionError

@hookimpl
def vlpbench_objectives():
    return [Falls]
'''


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Say = Callable[..., Said]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the grid, where commands are typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(GRID)
    (tmp_path / "falls.py").write_text(FALLS)
    yield tmp_path
    torch.set_flush_denormal(False)  # `run cell` computes in this process


@pytest.fixture
def say(here: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """(words of a command) -> what it said, in this process."""

    def said(*words: str) -> Said:
        code = main(list(words))
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return Said(code, shown.out, shown.err)

    return said


@pytest.fixture
def ids(say: Say) -> dict[str, str]:
    """Row -> id."""
    listed = say("run", "grid", "tiny.toml", "--dry-run")
    assert listed.code == 0
    found = [re.match(r"([0-9a-f]{12})  (?:to run|can't run) +(.+?) +seed 0\b", line) for line in listed.lines]
    by_row = {one[2]: one[1] for one in found if one}
    assert [*by_row] == ["a", "falls", "more", "falls too", "b", "impossible"]
    return by_row


def test_cells_are_run_and_each_end_is_a_line_on_stdout(say: Say, ids: dict[str, str], here: Path) -> None:
    said = say("run", "cell", "tiny.toml", ids["a"][:6], ids["falls"], ids["impossible"], "--device", "cpu")
    assert said.code == 1, "one has failed"
    words = [line.split("  ", 1)[0] for line in said.lines]
    assert words == ["done", "failed", "can't run"]
    folders = [Path(line[9:].strip()) for line in said.lines]
    assert [folder.name for folder in folders] == [
        f"a-s0-{ids['a']}", f"falls-s0-{ids['falls']}", f"impossible-s0-{ids['impossible']}",
    ]
    assert [(here / folder / "status.json").is_file() for folder in folders] == [True, True, False]
    assert "ArithmeticError: the first step" in said.err and "1 done, 1 failed, 1 can't run" in said.err
    again = say("run", "cell", "tiny.toml", ids["a"], "--device", "cpu")
    assert again.code == 0 and again.lines == said.lines[:1] and "pretrain" not in again.err, "done stays done"
    failed = say("run", "cell", "tiny.toml", ids["falls"], "--device", "cpu")
    assert failed.code == 1 and "ArithmeticError" in failed.err, "what failed is tried again"
    listed = say("run", "grid", "tiny.toml", "--dry-run")
    by_id = {line.split()[0]: line for line in listed.lines}
    assert "done" in by_id[ids["a"]].split()[1] and "failed" in by_id[ids["falls"]]
    assert "to run" in by_id[ids["b"]]


def test_a_cell_that_cannot_be_run_is_no_failure(say: Say, ids: dict[str, str]) -> None:
    said = say("run", "cell", "tiny.toml", ids["impossible"])
    assert said.code == 0 and said.out.startswith("can't run")
    assert "prefix-lm needs context, decode, dual has none" in said.err


def test_ids_that_mean_none_or_several_cells(say: Say, ids: dict[str, str], here: Path) -> None:
    said = say("run", "cell", "tiny.toml", "zzz")
    assert (said.code, said.out) == (4, "") and "there is no cell 'zzz'" in said.err
    assert "--dry-run lists the ids" in said.err
    said = say("run", "cell", "tiny.toml", ids["a"], "")
    assert (said.code, said.out) == (4, "") and "6 cells begin with ''" in said.err
    assert not (here / "results").exists(), "nothing was begun"


def test_the_same_cell_said_twice_is_run_once(say: Say, ids: dict[str, str]) -> None:
    said = say("run", "cell", "tiny.toml", ids["impossible"], ids["impossible"][:5])
    assert said.code == 0 and len(said.lines) == 1


def test_a_cell_without_an_id_is_a_usage_error(say: Say) -> None:
    assert say("run", "cell", "tiny.toml").code == 2


def typed(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a queue does with a line."""
    where = str(Path(package.__path__[0]).parent)
    return subprocess.run(  # noqa: S602 (it is a line for a shell)
        line, shell=True, cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": where, "CUDA_VISIBLE_DEVICES": ""},
    )


def test_printed_commands_are_run_by_any_shell_makers_first(say: Say, ids: dict[str, str], here: Path) -> None:
    (here / "a plugin.py").write_text(FALLS.replace('"falls"', '"of-no-use"'))
    said = say(
        "-p", "a plugin.py", "run", "grid", "tiny.toml", "--print-commands", "--device", "cpu",
        "--results", "my results", "-S", "seeds=[0]", "--checkpoint-every", "30s", "--jobs", "2", "--fail-fast",
    )
    assert said.code == 0 and not (here / "my results").exists(), "nothing is run"
    words = [shlex.split(line) for line in said.lines]
    cells = [next(word for word in line if word in ids.values()) for line in words]
    row_of = {cell: row for row, cell in ids.items()}
    assert [row_of[cell] for cell in cells] == ["a", "falls", "falls too", "b", "more"], (
        "whoever shares the pretraining of 'a' comes last, and what cannot be run not at all"
    )
    for line in words:
        rest = line[line.index("run") :]
        assert rest[:3] == ["run", "cell", "tiny.toml"]
        assert line[line.index("-p") + 1] == "a plugin.py" and rest[rest.index("--results") + 1] == "my results"
        assert rest[rest.index("-S") + 1] == "seeds=[0]" and rest[rest.index("--checkpoint-every") + 1] == "30.0"
        assert rest[rest.index("--device") + 1] == "cpu" and not {"--jobs", "--fail-fast"} & set(rest)
    done = typed(said.lines[0], here)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"done       my results/tiny/cells/a-s0-{ids['a']}\n"
    listed = say("run", "grid", "tiny.toml", "--dry-run", "--results", "my results")
    by_id = {line.split()[0]: line for line in listed.lines if line.split()}
    assert by_id[ids["a"]].split()[1] == "done" and "to run" in by_id[ids["more"]]
    left = say("run", "grid", "tiny.toml", "--print-commands", "--results", "my results").lines
    assert len(left) == 4 and not any(ids["a"] in line for line in left)


def test_after_the_first_failure_no_other_cell_is_started(say: Say, ids: dict[str, str]) -> None:
    said = say("run", "grid", "tiny.toml", "--device", "cpu", "--jobs", "1", "--fail-fast")
    assert said.code == 1
    rows = {line.split("|")[1].strip(): line for line in said.lines if line.startswith("|")}
    assert "failed" in rows["falls"] and "pending" in rows["b"] and "pending" in rows["falls too"]
    assert "ArithmeticError: the first step" in said.out
    assert "1 done, 1 failed, 1 can't run, 3 pending" in said.err


def test_a_launcher_that_is_not_there_names_the_nearest(say: Say, here: Path) -> None:
    said = say("run", "grid", "tiny.toml", "--launcher", "locl")
    assert (said.code, said.out) == (2, "")
    assert "unknown launcher 'locl'" in said.err and "did you mean 'local'?" in said.err
    assert not (here / "results").exists()


def test_a_launcher_that_prints_is_asked_for_by_name_too(say: Say, ids: dict[str, str]) -> None:
    lines = say("run", "grid", "tiny.toml", "--launcher", "print").lines
    assert len(lines) == 5 and lines == say("run", "grid", "tiny.toml", "--print-commands").lines
