"""The command as a person types it: table on stdout, progress on stderr, exit codes, and nothing done twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import vlpbench as package
from vlpbench.results import COLUMNS, load

TINY = (
    "seeds=[0]", "budget.samples=64", "budget.batch=16", "backbone=linear/encoder-decoder/nano", "text.length=16",
    "data.digits.train=60", "data.digits.val=12", "data.digits.test=12", "protocol.vqa.samples=32",
    "protocol.captioning.samples=32", "protocol.retrieval.samples=32",
)


@dataclass(frozen=True)
class Said:
    """One call of the command line."""

    code: int
    out: str
    err: str
    seconds: float


def vlpbench(*arguments: str, folder: Path) -> Said:
    """`vlpbench ...` in a process of its own, in `folder`."""
    start = time.monotonic()
    where = str(Path(package.__path__[0]).parent)  # the very package that is tested, installed or not
    done = subprocess.run(
        [sys.executable, "-m", "vlpbench", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": where, "CUDA_VISIBLE_DEVICES": ""}, timeout=300,
    )
    return Said(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def demo(folder: Path) -> Said:
    options = [word for override in TINY for word in ("-S", override)]
    return vlpbench("run", "grid", *options, folder=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are typed."""
    return tmp_path_factory.mktemp("somewhere")


@pytest.fixture(scope="module")
def first(folder: Path) -> Said:
    """The bare command, with a budget of a few steps."""
    return demo(folder)


def test_the_bare_command_ends_well_with_a_table(first: Said) -> None:
    assert first.code == 0, first.err
    table = [line for line in first.out.partition("\n\n")[0].splitlines() if line.startswith("|")]
    assert len(table) >= 6
    assert len({line.count("|") for line in table}) == 1, "every line has every column"
    rows = [line.split("|")[1].strip() for line in table[2:]]
    assert "*chance*" in rows and any(row.endswith("blind") for row in rows)
    for row in table[2:]:
        assert "failed" not in row and "pending" not in row
    assert "no spread over seeds is known" in first.out
    assert "Traceback" not in first.out + first.err


def test_progress_is_told_on_stderr_alone(first: Said, folder: Path) -> None:
    lines = first.err.splitlines()
    assert all(re.match(r"\s*\d+:\d\d  ", line) for line in lines)
    stages = ("pretrain", "vqa", "captioning", "retrieval")  # of those that take no second most are not seen
    assert any(f": {stage}" in line for line in lines for stage in stages)
    assert sum(line.rstrip().endswith("left)") or "done (" in line for line in lines) >= 4
    assert lines[-1].endswith(f"records in {Path('results') / 'demo'}")
    assert not re.search(r"^\s*\d+:\d\d  ", first.out, re.MULTILINE)


def test_results_are_where_they_are_said_to_be(first: Said, folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == ["results"]
    results = load(folder / "results" / "demo")
    frame = results.frame
    assert list(frame.columns) == list(COLUMNS)
    assert set(frame["status"]) == {"done"} and frame["value"].notna().any()
    table = results.wide()
    shown = {line.split("|")[1].strip() for line in first.out.splitlines() if line.startswith("|")}
    assert set(table.index) <= shown
    assert not results.floors().empty
    assert list((folder / "results").rglob(".*")) == [], "nothing half written is left"


def test_a_second_run_reuses_everything(first: Said, folder: Path) -> None:
    again = demo(folder)
    assert again.code == 0
    assert again.out == first.out
    assert "pretrain" not in again.err and "preparing" not in again.err
    assert again.seconds < max(30.0, first.seconds)


def test_the_table_can_be_printed_again(first: Said, folder: Path) -> None:
    report = vlpbench("report", "table", "results/demo", folder=folder)
    assert report.code == 0 and report.out == first.out and report.err == ""


def test_a_broken_grid_is_told_with_cause_place_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text(
        'schema = 1\nname = "broken"\n[base]\nobjective = "contrastve"\n[budget]\nsampels = 5\n[optim]\nlr = "fast"\n'
    )
    said = vlpbench("run", "grid", "broken.toml", folder=tmp_path)
    assert said.code == 2
    assert said.out == ""
    for word in ("broken.toml", "contrastve", "contrastive", "sampels", "samples", "lr"):
        assert word in said.err
    for line in ("4", "6", "8"):
        assert re.search(rf"\b{line}\b", said.err), f"line {line} is named"
    assert "Traceback" not in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["broken.toml"]


def test_a_grid_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("schema = 1\n")
    said = vlpbench("run", "grid", "mien.toml", folder=tmp_path)
    assert said.code == 2 and "did you mean" in said.err and "mine.toml" in said.err
    said = vlpbench("run", "grid", "dmeo", folder=tmp_path)
    assert said.code == 2 and "demo" in said.err
