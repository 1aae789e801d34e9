"""One started cell: what it is heard to do, how it is ended, and what its end is called."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from vlpbench.contract.launcher import Started
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import CellFolder, Claims
from vlpbench.registry import Registry
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.folding import Group
from vlpbench.runner.memory import kernel_kills
from vlpbench.runner.running import End, Running
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.workbench import opened_here
from vlpbench.runner.worker import DONE, FAILED, STOPPED, TAKEN, claim_name

GIB = 2**30


class Played(Started):
    """A process that the test plays."""

    def __init__(self, code: int | None = None, held: int = 0) -> None:
        self.code, self.held = code, held
        self.told: list[str] = []

    def ended(self) -> int | None:
        return self.code

    def stop(self) -> None:
        self.told.append("stop")

    def kill(self) -> None:
        self.told.append("kill")

    def bytes_held(self) -> int:
        return self.held


@pytest.fixture(scope="module")
def grid(written: Any) -> tuple[Cell, Registry]:
    read, registry = open_grid(str(written({"plain": 'objective = "none"'})))
    return cells(read, registry, opened_here)[0], registry


class Watched:
    """A cell, its results, and what a run sees of it."""

    def __init__(self, cell: Cell, registry: Registry, results: Path) -> None:
        self.cell, self.registry, self.results = cell, registry, results

    @property
    def folder(self) -> CellFolder:
        return folder_of(self.cell, self.results)

    def running(self, code: int | None = None, **more: Any) -> tuple[Running, Played]:
        played = Played(code, more.pop("held", 0))
        return Running(Group((self.cell,)), 0, played, self.results, **more), played

    def end(self, code: int, ending: End | None = None, **more: Any) -> End:
        """How a cell's end is called that left this exit code."""
        found, played = self.running(code, ending=ending, **more)
        ends = found.buried(self.registry)
        assert ends is not None and played.told == ["kill"], "what it started and left behind goes"
        return ends[self.cell.id]

    def begin(self) -> CellFolder:
        self.folder.begin(described(self.cell, self.registry))
        return self.folder


@pytest.fixture
def watched(grid: tuple[Cell, Registry], tmp_path: Path) -> Watched:
    return Watched(*grid, tmp_path)


def test_one_that_runs_is_not_buried(watched: Watched) -> None:
    found, played = watched.running()
    assert found.buried(watched.registry) is None and played.told == []


def test_how_far_it_is_comes_from_its_claim_and_is_told_once(watched: Watched) -> None:
    claims = Claims(watched.results / CLAIMS)
    found, played = watched.running(held=3 * GIB)
    assert list(found.events(claims)) == [], "it has not begun"
    claim = claims.take(claim_name(watched.cell))
    assert claim is not None
    with claim:
        assert list(found.events(claims)) == [], "it has told nothing"
        claim.tell("pretrain", 3, 5, {"loss": 1.5})
        told: list[Any] = []
        end = time.monotonic() + 20
        while not told and time.monotonic() < end:
            time.sleep(0.05)
            told = list(found.events(claims))
        (event,) = told
        assert (event.what, event.cell, event.said, event.done, event.of) == (
            "progress", watched.cell.id, "pretrain", 3, 5
        )
        assert event.figures == {"loss": 1.5} and event.bytes_held == 3 * GIB
        played.held = GIB
        assert list(found.events(claims)) == [], "nothing new"
        assert found.held == 3 * GIB, "the most"


def test_memory_on_a_device_is_what_the_cell_itself_says(watched: Watched) -> None:
    claims = Claims(watched.results / CLAIMS)
    found, _ = watched.running(held=GIB)
    claim = claims.take(claim_name(watched.cell))
    assert claim is not None
    with claim:
        claim.tell("vqa", 1, 2, {"loss": 1.0, "bytes_held": 7.0 * GIB})
        events: list[Any] = []
        end = time.monotonic() + 20
        while not events and time.monotonic() < end:
            time.sleep(0.05)
            events = list(found.events(claims))
        assert events[0].bytes_held == 7 * GIB and events[0].figures == {"loss": 1.0}


def test_it_is_asked_first_and_killed_when_its_grace_is_over(watched: Watched) -> None:
    found, played = watched.running()
    found.end(End("timeout", "too long"), grace=0.1)
    found.end(End("failed", "another reason"), grace=0.1)
    assert played.told == ["stop"], "asked once"
    time.sleep(0.12)
    found.end(End("stopped"), grace=0.1)
    assert played.told == ["stop", "kill"]
    assert found.ending == End("timeout", "too long"), "the first reason stays"


def test_it_can_be_killed_without_being_asked(watched: Watched) -> None:
    found, played = watched.running()
    found.kill(End("failed", "too much memory"))
    found.kill()
    assert played.told == ["kill", "kill"] and found.ending == End("failed", "too much memory")


@pytest.mark.parametrize("code", [DONE, FAILED, STOPPED, TAKEN, -signal.SIGKILL, 7])
@pytest.mark.parametrize("ending", [None, End("timeout", "too long"), End("stopped")])
def test_a_record_that_is_done_is_done_however_the_process_ended(
    watched: Watched, code: int, ending: End | None
) -> None:
    watched.begin().finish({"tasks": {}}, [], {}, {})
    assert watched.end(code, ending) == End("done")
    assert watched.folder.state() == "done"


@pytest.mark.parametrize(
    ("code", "what"), [(STOPPED, "stopped"), (TAKEN, "taken"), (-signal.SIGTERM, "killed"), (-signal.SIGHUP, "killed")]
)
def test_ends_that_say_nothing_of_the_cell_leave_no_record(watched: Watched, code: int, what: str) -> None:
    assert watched.end(code).what == what
    assert watched.folder.state() == "pending" and not watched.folder.path.exists()


def test_a_failure_says_the_cause_of_its_record(watched: Watched) -> None:
    watched.begin().fail("LookupError: not today", {}, {})
    assert watched.end(FAILED) == End("failed", "LookupError: not today")
    assert watched.folder.tries() == 1, "nothing is written over it"


@pytest.mark.parametrize(
    ("code", "said"),
    [(7, "exit code 7"), (FAILED, "exit code 1"), (DONE, "exit code 0"), (-signal.SIGSEGV, "signal SIGSEGV"),
     (-63, "signal 63")],
)
def test_a_death_without_a_word_is_a_failure_with_a_record(watched: Watched, code: int, said: str) -> None:
    end = watched.end(code)
    assert end.what == "failed" and f"({said})" in end.said
    assert f"{watched.folder.path.name}/log.txt" in end.said
    assert watched.folder.status()["cause"] == end.said and watched.folder.state() == "failed"
    assert watched.folder.read("settings.json")["row"] == "plain", "also where it had not begun"


def test_what_a_killed_cell_held_is_told(watched: Watched) -> None:
    more = {"kills": kernel_kills() + 1_000}  # the kernel has killed nobody since
    end = watched.end(-signal.SIGKILL, **more)
    assert end.what == "killed" and "signal SIGKILL, holding 0.0 GiB" in end.said
    assert watched.folder.state() == "pending"


def test_a_kill_by_a_kernel_without_memory_is_a_failure(watched: Watched) -> None:
    found, played = watched.running(-signal.SIGKILL, kills=-1)  # it has killed somebody since
    found.held = 3 * GIB
    end = (found.buried(watched.registry) or {})[watched.cell.id]
    assert end == End("failed", "out of memory: the kernel ended it; it was seen to hold 3.0 GiB")
    status = watched.folder.status()
    assert status["cause"] == end.said and status["held_bytes"] == 3 * GIB and played.told == ["kill"]


@pytest.mark.parametrize("ending", [End("timeout", "it took longer"), End("failed", "it held more than it may")])
def test_one_that_was_ended_has_the_reason_in_its_record(watched: Watched, ending: End) -> None:
    watched.begin()
    assert watched.end(STOPPED, ending) == ending
    assert watched.folder.state() == ending.what and watched.folder.status()["cause"] == ending.said


@pytest.mark.parametrize("code", [STOPPED, -signal.SIGKILL, -signal.SIGTERM])
def test_one_that_was_asked_to_stop_goes_on_later(watched: Watched, code: int) -> None:
    assert watched.end(code, End("stopped")) == End("stopped")
    assert watched.folder.state() == "pending"


def test_a_record_that_cannot_be_written_is_said(watched: Watched) -> None:
    watched.folder.path.parent.parent.mkdir(parents=True, exist_ok=True)
    watched.folder.path.parent.write_text("a file where the folder of cells should be")
    end = watched.end(7)
    assert end.what == "failed" and "exit code 7" in end.said and "no record of it could be written: " in end.said
