"""Full disks, folders that cannot be written, damaged files, clocks that jump: named, and never a wrong number."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

ROWS = {"good": "", "none": 'objective = "none"'}
JUMPING = '''
import multiprocessing, time
from vlpbench.plugin import hookimpl

if multiprocessing.parent_process():
    real = time.time
    time.time = lambda: real() + (-1) ** int(real() * 7) * 365 * 86400

@hookimpl
def vlpbench_objectives():
    return []
'''
TASKS = 'tasks = ["retrieval"]'


@pytest.fixture(scope="module")
def whole(ground: Callable[..., Any]) -> Any:
    """Two cells with all kinds of stages, undisturbed."""
    found = ground(ROWS)
    found.write(ROWS, found.grid.replace('tasks = ["retrieval@zero-shot"]', TASKS))
    assert found.run().code == 0
    return found


@pytest.fixture
def copy(whole: Any, tmp_path: Path) -> Any:
    """The same with results of its own."""
    shutil.copytree(whole.results, tmp_path / "results")
    return replace(whole, results=tmp_path / "results")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MiB; skipped where this process may not mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("mount") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, kib: int) -> Path:
    """Leave so much space."""
    there = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * (there.f_bavail * there.f_frsize - kib * 1024))
    return ballast


# space ends at the grid's description, at the weights of the pretraining, after those of a fine-tune
@pytest.mark.parametrize("kib", [0, 40, 2260])
def test_a_full_disk_is_named_and_the_same_command_goes_on(whole: Any, small_disk: Path, kib: int) -> None:
    found = replace(whole, results=small_disk / "results")
    ballast = fill(small_disk, kib)
    said = found.run("--jobs", "1")
    assert said.code == (2 if kib == 0 else 1)
    assert "no space" in said.err.lower()
    assert str(small_disk) not in said.out
    ballast.unlink()
    again = found.run("--jobs", "1")
    assert again.code == 0, again.err
    assert found.bytes() == whole.bytes()


def test_checkpoints_that_find_no_space_cost_nothing(whole: Any, small_disk: Path) -> None:
    found = replace(whole, results=small_disk / "results")
    ballast = fill(small_disk, 2300)  # room for weights, none for an optimiser beside them
    found.run("--jobs", "1", "--checkpoint-every", "0.001s")
    ballast.unlink()
    assert found.run("--jobs", "1").code == 0
    assert found.bytes() == whole.bytes()


def test_results_that_cannot_be_written_are_named_at_once(whole: Any, copy: Any, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a folder read-only")
    bound = subprocess.run(["mount", "--bind", str(copy.results), str(copy.results)], capture_output=True, check=False)
    if bound.returncode:
        pytest.skip(f"nothing can be mounted here: {bound.stderr.decode().strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(copy.results)], check=True)
        said = copy.run()
        assert (said.code, said.out) == (0, whole.run().out), "a finished grid still prints its table"
        start = time.monotonic()
        said = copy.run("-S", "optim.lr=0.5")
        assert said.code == 2 and "results cannot be written" in said.err and "--results DIR" in said.err
        assert time.monotonic() - start < 20 and "started" not in said.err
    finally:
        subprocess.run(["umount", "-l", str(copy.results)], check=True)


def damaged(path: Path, how: str, chance: random.Random) -> None:
    """Cut short, zeroed in part, or with one bit flipped."""
    content = bytearray(path.read_bytes() or b"x")
    at = chance.randrange(len(content))
    if how == "cut":
        content = content[:at]
    elif how == "zeroed":
        content[at : at + 4096] = bytes(len(content[at : at + 4096]))
    elif how == "flipped":
        content[at] ^= 1 << chance.randrange(8)
    else:
        content.clear()
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_damaged_files_are_found_and_made_again(whole: Any, copy: Any, how: str) -> None:
    chance = random.Random(how)
    want = whole.bytes()
    for path in sorted(copy.home.rglob("*")):
        if path.is_file():
            damaged(path, how, chance)
    for stage in sorted((copy.home / "stages").iterdir()):  # as if killed, with a checkpoint that is none
        (stage / "checkpoint").mkdir()
        for name in ("checkpoint.json", "step-000002.safetensors"):
            (stage / "checkpoint" / name).write_bytes(chance.randbytes(500))
    grid = copy.home / "grid.json"
    grid.write_bytes(b"\xff" + grid.read_bytes())  # no UTF-8 at all
    shown = copy.say("report", "table", str(copy.home))
    assert shown.code == 2 and "grid.json" in shown.err
    said = copy.run()
    assert said.code == 0, said.err
    assert copy.bytes() == want


def lines_of(text: str) -> set[tuple[str, ...]]:
    """The cells of a table's lines; what is bold depends on who else is there."""
    lines = [line for line in text.replace("*", "").splitlines() if line.startswith("|")]
    return {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines}


@pytest.mark.parametrize("seed", range(1))
def test_one_damaged_file_at_a_time_is_never_a_wrong_number(whole: Any, copy: Any, seed: int) -> None:
    """The plan sees each damaged record; the table shows no number of it."""
    chance, table = random.Random(seed), whole.run().out
    right = lines_of(table)
    for path in sorted(copy.home.rglob("*")):
        if not path.is_file():
            continue
        before = path.read_bytes()
        damaged(path, chance.choice(["cut", "zeroed", "flipped", "emptied"]), chance)
        if path.read_bytes() == before:
            continue
        dry = copy.run("--dry-run")
        named = dry.code == 2 and path.name == "grid.json" and "grid.json" in dry.err
        assert dry.code == 0 or named, (path, dry.err)
        shown = copy.say("report", "table", str(copy.home))
        if shown.code == 0:
            told = {line for line in lines_of(shown.out) if line[0] in ("good", "none")}
            wrong = {line for line in told - right if any(character.isdigit() for character in line[1])}
            assert not wrong or path.name in ("timing.json", "environment.json", "grid.json"), (path, wrong)
        path.write_bytes(before)


def test_a_clock_that_jumps_changes_nothing(whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, year = time.time, 365 * 86400
    (tmp_path / "clock.py").write_text(JUMPING)
    found = replace(whole, folder=tmp_path, results=tmp_path / "results")
    shutil.copy(whole.folder / "mine.py", tmp_path / "mine.py")
    found.write(ROWS, whole.grid.replace('["mine.py"]', '["mine.py", "clock.py"]'))
    monkeypatch.setattr(time, "time", lambda: real() + (-1) ** int(real() * 7) * year)
    said = found.run("--checkpoint-every", "0.001s")
    assert said.code == 0, said.err
    assert found.bytes() == whole.bytes()
