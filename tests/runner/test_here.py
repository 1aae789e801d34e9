"""Cells in this very process: done, failed, taken by another, stopped at any point and finished to the same bytes."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import CellFolder, Claims
from vlpbench.registry import Registry
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.here import run_here
from vlpbench.runner.rules import Rules
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import stages_of
from vlpbench.runner.workbench import opened_here
from vlpbench.runner.worker import claim_name
from vlpbench.training.pace import Pace

ROWS = {
    "good": 'objective = "good"\nbackbone = "linear/dual/nano"\ntasks = ["retrieval@zero-shot", "vqa"]',
    "no-start": 'objective = "no-start"\nbackbone = "linear/dual/nano"\ntasks = ["vqa"]',
    "third": 'objective = "third"\nbackbone = "linear/dual/nano"\ntasks = ["vqa"]',
}
RECORD = ("scores.json", "curve.jsonl", "settings.json", "predictions/vqa.parquet", "fine_tunes.json")

Heard = Callable[[Event], None]


class Place:
    """A grid, and results that its cells are run into."""

    def __init__(self, file: Path, results: Path) -> None:
        self.grid, self.registry = open_grid(str(file), ("floors=false",))
        self.results = results
        self.cells: Mapping[str, Cell] = {one.row: one for one in cells(self.grid, self.registry, opened_here)}

    def run(self, *rows: str, heard: Heard = lambda event: None, results: Path | None = None) -> list[Event]:
        """What is heard of these cells, but for the steps."""
        events: list[Event] = []

        def listen(event: Event) -> None:
            events.append(event)
            heard(event)

        chosen = [self.cells[row] for row in rows]
        rules = Rules(device="cpu", pace=Pace(every=0.001))
        try:
            alone = [[cell] for cell in chosen]
            run_here(alone, results or self.results, self.registry, rules, {"command": "vlpbench run"}, listen)
        except KeyboardInterrupt:
            events.append(Event("stopping", "", "KeyboardInterrupt"))
        return [event for event in events if event.what != "progress"]

    def folder(self, row: str) -> CellFolder:
        return folder_of(self.cells[row], self.results)

    def starts(self, row: str, results: Path | None = None) -> dict[str, int]:
        """Label of each stage -> how often it was begun."""
        registry: Registry = self.registry
        stages = stages_of(self.cells[row], results or self.results, registry)
        return {stage.label: stage.folder.facts().get("starts", 0) for stage in stages}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What a process that computes does first is undone: this one goes on with other tests."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def file(written: Any) -> Path:
    return written(ROWS)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def straight(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The good cell, run without any trouble. Tests leave it as it is."""
    place = Place(file, tmp_path_factory.mktemp("straight"))
    assert [event.what for event in place.run("good")] == ["started", "done"]
    return place


@pytest.fixture
def place(file: Path, tmp_path: Path) -> Place:
    return Place(file, tmp_path)


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events]


def test_a_cell_that_goes_well(straight: Place) -> None:
    folder = straight.folder("good")
    assert folder.state() == "done" and folder.read("environment.json")["command"] == "vlpbench run"
    assert Claims(straight.results / CLAIMS).all() == {}
    assert set(straight.starts("good").values()) == {1}


def test_steps_are_heard_stage_by_stage_with_the_cells_id(place: Place) -> None:
    heard: list[Event] = []
    place.run("good", heard=heard.append)
    steps = [event for event in heard if event.what == "progress"]
    assert {event.cell for event in steps} == {place.cells["good"].id}
    assert list(dict.fromkeys(event.said for event in steps)) == [
        "pretrain", "retrieval@zero-shot: predict", "vqa", "vqa: predict",
    ]
    assert Counter(event.said for event in steps)["pretrain"] == 5 and steps[4].figures["loss"] > 0


def test_a_failure_is_a_record_and_the_next_cell_is_run(place: Place) -> None:
    events = place.run("no-start", "third")
    assert whats(events) == ["started", "failed"] * 2
    assert [event.said for event in events[1::2]] == [
        "LookupError: no start today", "ArithmeticError: the third step",
    ]
    assert place.folder("third").state() == "failed" and place.folder("no-start").tries() == 1


def test_what_another_process_runs_is_waited_for(place: Place) -> None:
    cell = place.cells["good"]
    claim = Claims(place.results / CLAIMS).take(claim_name(cell))
    assert claim is not None

    def finish() -> None:
        place.folder("good").begin(described(cell, place.registry))
        place.folder("good").finish({"tasks": {}}, [], {}, {})
        claim.release()

    threading.Timer(0.3, finish).start()
    events = place.run("good")
    assert whats(events) == ["started", "waiting", "done"], "the wait is said once"
    assert place.folder("good").read("scores.json")["tasks"] == {}, "it was not run again"


def test_what_another_process_gives_up_is_run_here(place: Place) -> None:
    claim = Claims(place.results / CLAIMS).take(claim_name(place.cells["no-start"]))
    assert claim is not None
    threading.Timer(0.3, claim.release).start()
    assert whats(place.run("no-start")) == ["started", "waiting", "failed"]
    assert place.folder("no-start").status()["cause"] == "LookupError: no start today"


def test_a_wait_can_be_stopped(place: Place) -> None:
    claim = Claims(place.results / CLAIMS).take(claim_name(place.cells["good"]))
    assert claim is not None

    def stop(event: Event) -> None:
        if event.what == "waiting":
            os.kill(os.getpid(), signal.SIGINT)

    with claim:
        events = place.run("good", heard=stop)
    assert whats(events) == ["started", "waiting", "stopped", "stopping"]
    assert place.folder("good").state() == "pending"


POINTS = [
    ("pretrain", 1), ("pretrain", 3), ("pretrain", 5), ("retrieval@zero-shot: predict", 0), ("vqa", 1),
    ("vqa: predict", 0),
]
"""Where somebody asks to stop: stage and step."""


def test_stopped_anywhere_it_goes_on_to_the_same_bytes(straight: Place, place: Place) -> None:
    """One run after another, each stopped a little later, and none in vain."""
    for at in POINTS:

        def stop(event: Event, at: tuple[str, int] = at) -> None:
            if event.what == "progress" and (event.said, event.done) == at:
                os.kill(os.getpid(), signal.SIGTERM)

        events = place.run("good", heard=stop)
        assert whats(events) == ["started", "stopped", "stopping"], at
        assert place.folder("good").state() == "pending" and Claims(place.results / CLAIMS).all() == {}, at
    assert whats(place.run("good")) == ["started", "done"]
    mine, theirs = (one.folder("good").path for one in (place, straight))
    for name in RECORD:
        assert (mine / name).read_bytes() == (theirs / name).read_bytes(), name
    for one, two in zip(
        stages_of(place.cells["good"], place.results, place.registry),
        stages_of(straight.cells["good"], straight.results, straight.registry), strict=True,
    ):
        for kept in ("weights", "predictions"):
            path, other = getattr(one.folder, kept), getattr(two.folder, kept)
            assert path.is_file() == other.is_file(), one.label
            assert not path.is_file() or path.read_bytes() == other.read_bytes(), one.label
        assert one.folder.told() == two.folder.told() and not one.folder.checkpoint.exists()
    assert place.starts("good")["pretrain"] == 4, "three stops in it, the last after its last step"
    assert place.starts("good")["vqa: fine-tune"] == 2


def test_a_stop_is_of_the_whole_command(place: Place) -> None:
    def stop(event: Event) -> None:
        if event.what == "progress":
            os.kill(os.getpid(), signal.SIGINT)

    events = place.run("good", "no-start", heard=stop)
    assert whats(events) == ["started", "stopped", "stopping"] and not place.folder("no-start").path.exists()
    before = signal.getsignal(signal.SIGINT)
    assert before is signal.default_int_handler, "who listened before, listens again"
