"""Checkpoints on disk: the last whole one is there at every instant, and a wrong byte is never read as right."""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.training import snapshot
from vlpbench.training.snapshot import LEAST, TIMES, Keeper, Snapshot

DECIDED = {"steps": 9, "optim": {"lr": 0.1}}


class Clock:
    """A clock that a test winds on."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stage" / "checkpoint"


def made(step: int) -> Snapshot:
    tensors = {
        "a": torch.full((3, 4), float(step)), "b": torch.tensor(step), "none": torch.zeros(0, 2),
        "wide": torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
        "bits": torch.tensor([True, False]), "half": torch.tensor([1.5, -0.0, math.nan], dtype=torch.bfloat16),
    }
    return Snapshot(step, tensors, {"curve": [{"loss": 0.1 + step, "worst": math.inf}], "none": None})


def plain(whole: Snapshot) -> Any:
    """All of it as what can be compared, to the bit."""
    bits = {
        name: (x.dtype, tuple(x.shape), x.contiguous().view(-1).view(torch.uint8).tolist())
        for name, x in whole.tensors.items()
    }
    return whole.step, whole.plain, bits


def same(one: Snapshot | None, two: Snapshot) -> bool:
    return one is not None and plain(one) == plain(two)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_comes_back_to_the_bit(folder: Path) -> None:
    Keeper(folder, DECIDED).keep(made(3))
    assert same(Keeper(folder, DECIDED).last(), made(3))
    assert names(folder) == ["checkpoint.json", "step-000003.safetensors"]


def test_the_one_before_goes_when_the_next_is_whole(folder: Path) -> None:
    keeper = Keeper(folder, DECIDED)
    for step in (1, 2, 1_234_567):
        keeper.keep(made(step))
        assert names(folder) == ["checkpoint.json", f"step-{step:06d}.safetensors"]
        assert same(Keeper(folder, DECIDED).last(), made(step))


def test_nothing_kept_is_nothing_said_and_no_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Keeper(folder, DECIDED).last() is None
    assert not folder.exists() and capsys.readouterr().err == ""


def damaged(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def flip(at: float, bit: int) -> Callable[[bytes], bytes]:
    """Flip one bit at a place from 0 to 1 of the file."""

    def change(data: bytes) -> bytes:
        place = min(int(at * len(data)), len(data) - 1)
        return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]

    return change


RNG = np.random.default_rng(5)
FLIPS = [flip(float(RNG.random()), int(RNG.integers(8))) for _ in range(60)]
CUTS = [lambda data: b"", lambda data: data[:1], lambda data: data[: len(data) // 2], lambda data: data[:-9]]


@pytest.mark.parametrize("name", ["checkpoint.json", "step-000004.safetensors"])
def test_damage_is_never_taken(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A flipped bit may leave the description as it was (in white space); then it is the same checkpoint."""
    unharmed = 0
    for change in (*FLIPS, *CUTS, lambda data: b"\xff" * 40, lambda data: b"5"):
        Keeper(folder, DECIDED).keep(made(4))
        damaged(folder / name, change)
        capsys.readouterr()
        found = Keeper(folder, DECIDED).last()
        said = capsys.readouterr().err
        if found is None:
            assert said.startswith("the checkpoint in stage/checkpoint is not used") and said.count("\n") == 1
            assert said.endswith(f"{name} is damaged\n")
            assert names(folder) == [], "what is of no use is removed"
        else:
            assert name == "checkpoint.json" and same(found, made(4)) and said == ""
            unharmed += 1
    assert unharmed < 10


@pytest.mark.parametrize("name", ["checkpoint.json", "step-000004.safetensors"])
def test_a_missing_half_is_no_checkpoint(folder: Path, name: str) -> None:
    Keeper(folder, DECIDED).keep(made(4))
    (folder / name).unlink()
    assert Keeper(folder, DECIDED).last() is None
    assert names(folder) == []


def test_the_tensors_of_another_checkpoint_are_not_taken(folder: Path, tmp_path: Path) -> None:
    Keeper(folder, DECIDED).keep(made(4))
    Keeper(tmp_path / "other", DECIDED).keep(made(5))
    (tmp_path / "other" / "step-000005.safetensors").replace(folder / "step-000004.safetensors")
    assert Keeper(folder, DECIDED).last() is None


def test_a_checkpoint_of_another_training_is_not_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Keeper(folder, DECIDED).keep(made(4))
    assert Keeper(folder, DECIDED | {"steps": 10}).last() is None
    assert "it is of another training" in capsys.readouterr().err


def test_another_schema_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Keeper(folder, DECIDED).keep(made(4))
    monkeypatch.setattr(snapshot, "SCHEMA", 2)
    assert Keeper(folder, DECIDED).last() is None


LEFTOVERS = [".step-000009.safetensors.x1y2.safetensors", ".checkpoint.json.abc.json", "step-000009.safetensors"]


@pytest.mark.parametrize("when", ["begin", "write"])
def test_leftovers_of_a_killed_process_go(folder: Path, when: str) -> None:
    keeper = Keeper(folder, DECIDED)
    keeper.keep(made(4))
    for name in (*LEFTOVERS, "somebody's notes.txt"):
        (folder / name).write_text("half")
    if when == "write":
        keeper.keep(made(5))
    assert same(Keeper(folder, DECIDED).last(), made(5 if when == "write" else 4))
    assert len(names(folder)) == 3 and "somebody's notes.txt" in names(folder)


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """Calls that change the disk, of which only so many are lived through."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise Killed
            return real(*given, **more)

        return call


CHANGES = ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "chmod"), (Path, "write_text"))


def survives(calls: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the next checkpoint is written by a process that dies after so many changes."""
    mortal = Mortal(calls)
    with monkeypatch.context() as patched:
        for owner, name in CHANGES:
            patched.setattr(owner, name, mortal(getattr(owner, name)))
        try:
            Keeper(folder, DECIDED).keep(made(5))
        except Killed:
            return False
    return True


def test_the_last_good_one_is_there_at_every_instant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is cut off at each call that changes the disk, in turn; there is always one whole checkpoint."""
    taken, calls, survived = [], 0, False
    while not survived and calls < 40:
        Keeper(folder, DECIDED).keep(made(4))
        survived = survives(calls, folder, monkeypatch)
        found = Keeper(folder, DECIDED).last()
        assert found is not None and same(found, made(found.step))
        taken.append(found.step)
        calls += 1
    assert survived and calls > 8
    assert taken == sorted(taken) and set(taken) == {4, 5}


@pytest.mark.parametrize("fails", ["save_tensors", "write_text"])
def test_a_full_disk_is_told_once_and_ends_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fails: str
) -> None:
    keeper = Keeper(folder, DECIDED)
    keeper.keep(made(4))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(snapshot, fails, full)
        keeper.keep(made(5))
        keeper.keep(made(6))
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "checkpoint of step 5 cannot be kept" in said and "No space left" in said
    assert same(Keeper(folder, DECIDED).last(), made(4)), "the older one is kept"
    keeper.keep(made(7))
    assert same(Keeper(folder, DECIDED).last(), made(7))
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_made_ends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stage").write_text("a file where the folder should be")
    keeper = Keeper(tmp_path / "stage" / "checkpoint", DECIDED)
    assert keeper.last() is None
    keeper.keep(made(1))
    assert "cannot be kept, the training goes on without" in capsys.readouterr().err


@pytest.mark.parametrize(("every", "cost", "interval"), [
    (0.0, 0.1, LEAST), (0.0, LEAST / TIMES, LEAST), (0.0, 3.0, 150.0), (5.0, 3.0, 5.0), (0.001, 0.0, 0.001),
])
def test_the_interval_is_what_is_asked_or_follows_the_cost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, every: float, cost: float, interval: float
) -> None:
    clock, real = Clock(), snapshot.save_tensors
    monkeypatch.setattr(snapshot, "time", clock)

    def slow(*given: Any) -> None:
        clock.now += cost
        real(*given)

    monkeypatch.setattr(snapshot, "save_tensors", slow)
    keeper = Keeper(folder, DECIDED, every)
    assert keeper.interval == (every or LEAST), "nothing is known of the cost"
    assert not keeper.due()
    keeper.keep(made(1))
    assert keeper.interval == pytest.approx(interval)
    clock.now += interval * 0.999
    assert not keeper.due()
    clock.now += interval * 0.0011
    assert keeper.due() and keeper.due()
    later = Keeper(folder, DECIDED, every)
    assert later.last() is not None and later.interval == pytest.approx(interval), "the cost is known when going on"
    assert not later.due()


def test_after_a_failure_an_interval_passes_before_the_next_try(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(snapshot, "time", clock)
    keeper = Keeper(folder, DECIDED)
    clock.now += LEAST
    assert keeper.due()

    def full(*_: Any) -> None:
        clock.now += 40
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(snapshot, "save_tensors", full)
    keeper.keep(made(1))
    assert not keeper.due() and keeper.interval == LEAST
    clock.now += LEAST
    assert keeper.due()


def test_clocks_that_are_set_do_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper(folder, DECIDED, 0.05)
    monkeypatch.setattr(time, "time", lambda: -1e9)
    assert not keeper.due()
    time.sleep(0.06)
    assert keeper.due()


def test_what_is_written_can_be_read_by_people(folder: Path) -> None:
    Keeper(folder, DECIDED).keep(made(4))
    said = json.loads((folder / "checkpoint.json").read_text())
    assert said["step"] == 4 and said["tensors"] == "step-000004.safetensors" and said["schema"] == 1
    assert len(said["sha256"]) == len(said["digest"]) == len(said["decided_by"]) == 64 and said["seconds"] >= 0
