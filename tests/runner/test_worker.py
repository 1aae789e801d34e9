"""A cell in a process of its own: exit codes, the claim that tells how far it is, and what happens when it is lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from vlpbench.device import Device
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import Claims, Holder
from vlpbench.registry import Registry
from vlpbench.runner.cell import Hands, described, folder_of
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import stages_of
from vlpbench.runner.stopping import Stopping
from vlpbench.runner.workbench import opened_here
from vlpbench.runner.worker import DONE, FAILED, STOPPED, TAKEN, Order, claim_name, live
from vlpbench.training.pace import PACE, Pace, Stopped, never

ROWS = {"good": 'objective = "good"\nbackbone = "linear/dual/nano"', "no-start": 'objective = "no-start"'}
FEW = ("tasks=['retrieval@zero-shot']",)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What a process that computes does first is undone: this one goes on with other tests."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def file(written: Any) -> Path:
    return written(ROWS)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def registry(file: Path) -> Registry:
    return open_grid(str(file), FEW)[1]


@pytest.fixture(scope="module")
def by_row(file: Path, registry: Registry) -> Mapping[str, Cell]:
    """Cells of five steps and one quick task."""
    return {cell.row: cell for cell in cells(open_grid(str(file), FEW)[0], registry, opened_here)}


@pytest.fixture
def good(by_row: Mapping[str, Cell]) -> Cell:
    return by_row["good"]


def order(cell: Cell, results: Path, file: Path, pace: Pace = PACE) -> Order:
    """As a launcher gets it: it can be sent to another process."""
    made = Order((cell,), results, (file.parent / "failing.py",), (), "cpu", pace, {"command": "vlpbench run"})
    mine, theirs = multiprocessing.Pipe()
    with mine, theirs:
        mine.send(made)
        sent: Order = theirs.recv()
    assert sent == made
    return sent


def test_a_cell_that_is_done(good: Cell, file: Path, tmp_path: Path) -> None:
    assert order(good, tmp_path, file)() == DONE
    folder = folder_of(good, tmp_path)
    assert folder.state() == "done" and folder.read("environment.json")["command"] == "vlpbench run"
    assert Claims(tmp_path / CLAIMS).all() == {}
    assert [stage.folder.closed for stage in stages_of(good, tmp_path, open_grid(str(file))[1])] == [True] * 3
    written = (folder.path / "status.json").stat().st_mtime_ns
    assert order(good, tmp_path, file)() == DONE
    assert (folder.path / "status.json").stat().st_mtime_ns == written, "another process was faster: nothing is done"


def test_a_cell_that_fails(by_row: Mapping[str, Cell], file: Path, tmp_path: Path) -> None:
    cell = by_row["no-start"]
    assert order(cell, tmp_path, file)() == FAILED
    folder = folder_of(cell, tmp_path)
    assert folder.state() == "failed" and folder.status()["cause"] == "LookupError: no start today"
    assert order(cell, tmp_path, file)() == FAILED
    assert folder.tries() == 1, "whoever wants it again forgets the record first"


def test_a_record_of_no_time_left_is_no_success(good: Cell, registry: Registry, file: Path, tmp_path: Path) -> None:
    folder = folder_of(good, tmp_path)
    folder.begin(described(good, registry))
    folder.fail("it took longer", {}, {}, "timeout")
    assert order(good, tmp_path, file)() == FAILED and folder.state() == "timeout"


def test_a_cell_that_another_process_runs(good: Cell, file: Path, tmp_path: Path) -> None:
    claim = Claims(tmp_path / CLAIMS).take(claim_name(good))
    assert claim is not None
    with claim:
        assert order(good, tmp_path, file)() == TAKEN
    assert not folder_of(good, tmp_path).path.exists()


def test_a_cell_that_is_told_to_stop_goes_on_later(
    good: Cell, registry: Registry, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_at_two(stage: str, done: int, of: int, figures: Mapping[str, float]) -> None:
        if (stage, done) == ("pretrain", 2):
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr("vlpbench.runner.worker.Hands", lambda *given: Hands(*given[:3], stop_at_two, *given[4:]))
        assert order(good, tmp_path, file)() == STOPPED
    pretraining = next(iter(stages_of(good, tmp_path, registry))).folder
    assert folder_of(good, tmp_path).state() == "pending" and pretraining.checkpoint.is_dir()
    assert Claims(tmp_path / CLAIMS).all() == {}
    assert order(good, tmp_path, file)() == DONE
    assert pretraining.facts()["starts"] == 2 and not pretraining.checkpoint.exists()


def test_how_far_it_is_stands_in_its_claim(good: Cell, registry: Registry, tmp_path: Path) -> None:
    seen: list[Holder | None] = []
    heard: list[tuple[str, int, int]] = []

    def hearing(stage: str, done: int, of: int, figures: Mapping[str, float]) -> None:
        heard.append((stage, done, of))
        if (stage, done) == ("pretrain", 3):
            end = time.monotonic() + 20
            while time.monotonic() < end and not (holder := Claims(tmp_path / CLAIMS).holder(claim_name(good))).stage:  # type: ignore[union-attr]
                time.sleep(0.05)
            seen.append(holder)

    assert live(good, tmp_path, Hands(registry, Device("cpu"), PACE, hearing)) == DONE
    (holder,) = seen
    assert holder is not None and (holder.stage, holder.of) == ("pretrain", 5) and 1 <= holder.done <= 3
    assert holder.pid == os.getpid() and holder.figures["loss"] > 0
    assert heard[:5] == [("pretrain", step, 5) for step in range(1, 6)]
    assert heard[-1][0] == "retrieval@zero-shot: predict"


def test_a_cell_whose_claim_is_lost_is_let_go(good: Cell, registry: Registry, tmp_path: Path) -> None:
    """Somebody took this process for dead: it leaves no record, and does not go on beside the other."""
    steps: list[int] = []

    def hearing(stage: str, done: int, of: int, figures: Mapping[str, float]) -> None:
        steps.append(done)
        if (stage, done) == ("pretrain", 2):
            for path in (tmp_path / CLAIMS).glob("cell-*"):
                path.unlink()
            beats = [one for one in threading.enumerate() if one.name == f"claim {claim_name(good)}"]
            for one in beats:  # it sees that it is lost, and beats no more
                one.join(20)
            assert len(beats) == 1

    with Stopping() as stop:
        assert live(good, tmp_path, Hands(registry, Device("cpu"), Pace(stop=stop), hearing)) == TAKEN
        assert stop.lost is never, "the next cell is not lost"
    assert steps == [1, 2] and folder_of(good, tmp_path).state() == "pending"


def test_whoever_asks_is_not_told_of_a_lost_claim_instead(good: Cell, registry: Registry, tmp_path: Path) -> None:
    def hearing(stage: str, done: int, of: int, figures: Mapping[str, float]) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with Stopping() as stop, pytest.raises(Stopped):
        live(good, tmp_path, Hands(registry, Device("cpu"), Pace(stop=stop), hearing))
    assert Claims(tmp_path / CLAIMS).all() == {}
