"""What is done before the first cell starts: the grid written down, old records forgotten, data made, slots counted."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import Claims
from vlpbench.registry import Registry
from vlpbench.runner import grid_run
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.grid_run import begin, place_of, prepare
from vlpbench.runner.plan import Plan, plan_grid
from vlpbench.runner.rules import Rules
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import stages_of
from vlpbench.runner.workbench import opened_here
from vlpbench.runner.worker import claim_name

ROWS = {
    "words": 'objective = "prefix-lm"',
    "towers": 'objective = "good"\nbackbone = "linear/dual/nano"',
    "impossible": 'objective = "prefix-lm"\nbackbone = "linear/dual/nano"',
}


class Ground:
    """A grid of which nothing is run, and what a run of it would say."""

    def __init__(self, file: Path, results: Path) -> None:
        self.grid, self.registry = open_grid(str(file))
        self.results, self.heard = results, list[Event]()
        self.cells: Mapping[str, Cell] = {one.row: one for one in cells(self.grid, self.registry, opened_here)}

    @property
    def folder(self) -> Path:
        return self.results / "mixed"

    def plan(self, **how: Any) -> Plan:
        return plan_grid(self.grid, self.registry, self.results, **how)

    def begin(self, **how: Any) -> list[tuple[str, str]]:
        """(what, row) of all that is said."""
        self.heard.clear()
        begin(self.plan(**how), self.heard.append)
        row_of = {cell.id: cell.row for cell in self.cells.values()}
        return [(event.what, row_of.get(event.cell, "")) for event in self.heard]

    def record(self, row: str, state: str) -> None:
        folder = folder_of(self.cells[row], self.folder)
        folder.begin(described(self.cells[row], self.registry))
        if state == "done":
            folder.finish({"tasks": {}}, [], {}, {})
        else:
            folder.fail("not today", {}, {})

    def state(self, row: str) -> str:
        return folder_of(self.cells[row], self.folder).state()


@pytest.fixture(scope="module")
def file(written: Any) -> Path:
    return written(ROWS)  # type: ignore[no-any-return]


@pytest.fixture
def ground(file: Path, tmp_path: Path) -> Ground:
    return Ground(file, tmp_path)


def test_the_grid_is_written_down_and_what_is_not_run_is_said(ground: Ground) -> None:
    ground.record("towers", "done")
    assert ground.begin() == [("skipped", "impossible"), ("reused", "towers")]
    assert ground.heard[0].said == "n/a: prefix-lm needs context, decode, dual has none"
    told = json.loads((ground.folder / "grid.json").read_text())
    assert told["name"] == "mixed" and told["rows"] == ["words", "towers", "impossible", "words, blind"]
    assert told["tasks"] == ["vqa", "captioning", "retrieval@zero-shot"]
    assert told["cells"].keys() == {cell.id for cell in ground.cells.values()}
    assert told["cells"][ground.cells["impossible"].id]["reason"] == ground.heard[0].said


def test_the_grids_file_is_written_where_it_has_changed_and_only_there(ground: Ground) -> None:
    """A thousand runs that find all done write nothing, and two runners do not fight for it."""
    ground.begin()
    file = ground.folder / "grid.json"
    before = file.stat().st_mtime_ns, file.stat().st_ino
    ground.begin()
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before
    whole = file.read_text()
    file.write_text(whole[:-9])
    ground.begin()
    assert file.read_text() == whole


@pytest.mark.parametrize(
    "wrong", [OSError(code, os.strerror(code)) for code in (errno.EROFS, errno.EACCES, errno.ENOSPC)]
)
def test_results_that_cannot_be_written_are_the_users_to_mend(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, wrong: OSError
) -> None:
    def refuse(path: Path, value: Any) -> None:
        raise wrong

    monkeypatch.setattr(grid_run, "write_json", refuse)
    with pytest.raises(UserError, match=f"results cannot be written: {wrong.strerror}") as caught:
        ground.begin()
    assert caught.value.place == str(ground.folder) and "--results DIR" in caught.value.remedy
    assert caught.value.exit_code == 2 and ground.heard == []


def test_failures_are_forgotten_where_they_are_to_run_again(ground: Ground) -> None:
    ground.record("words", "failed")
    ground.record("towers", "done")
    ground.begin()
    assert (ground.state("words"), ground.state("towers")) == ("failed", "done"), "nobody asked for it"
    ground.begin(retry_failed=True)
    assert (ground.state("words"), ground.state("towers")) == ("pending", "done")


def test_a_failure_that_another_run_is_at_is_left_to_it(ground: Ground) -> None:
    ground.record("words", "failed")
    claim = Claims(ground.folder / CLAIMS).take(claim_name(ground.cells["words"]))
    assert claim is not None
    with claim:
        ground.begin(retry_failed=True)
        assert ground.state("words") == "failed"
    ground.begin(retry_failed=True)
    assert ground.state("words") == "pending"


def test_a_damaged_record_is_forgotten(ground: Ground) -> None:
    ground.record("words", "done")
    (folder_of(ground.cells["words"], ground.folder).path / "scores.json").write_text("{")
    assert ground.state("words") == "damaged"
    ground.begin()
    assert ground.state("words") == "pending"


def test_outdated_stages_are_forgotten_with_their_checkpoints_and_held_ones_are_not(ground: Ground) -> None:
    stages = {one.label: one.folder for one in stages_of(ground.cells["words"], ground.folder, ground.registry)}
    for label in ("pretrain", "vqa: fine-tune"):
        stages[label].begin()
        stages[label].close({}, code={**stages[label].made_by, "vlpbench/training": "as it was"})
    claim = Claims(ground.folder / CLAIMS).take(stages["pretrain"].path.name)
    assert claim is not None
    with claim:
        assert ground.begin(on_code_change="rerun") == [("skipped", "impossible")]
        assert stages["pretrain"].closed and not stages["vqa: fine-tune"].closed
    ground.begin(on_code_change="rerun")
    assert not stages["pretrain"].closed
    for label in ("pretrain", "vqa: fine-tune"):
        stages[label].begin()
        stages[label].close({}, code={**stages[label].made_by, "vlpbench/training": "as it was"})
    said = ground.begin(on_code_change="warn")
    assert [what for what, _ in said] == ["warning", "skipped"] and stages["pretrain"].closed


BROKEN = """
import pathlib
from vlpbench.data.worlds.digits import Digits
from vlpbench.plugin import hookimpl

class Broken(Digits):
    name = "broken"
    def prepare(self, heard=None):
        raise LookupError("the disk of pictures is away")

@hookimpl
def vlpbench_datasets():
    return [Broken]
"""

Prepared = Callable[..., tuple[list[Event], list[Cell], Registry]]


@pytest.fixture
def prepared(written: Any) -> Prepared:
    """(rows) -> what was said while their data was made."""

    def run(rows: dict[str, str]) -> tuple[list[Event], list[Cell], Registry]:
        file = written(rows)
        with (file.parent / "failing.py").open("a") as plugin:
            plugin.write(BROKEN)
        file.write_text(file.read_text().replace("[data.digits]", '[data.broken]\ntrain = 8\n[data.digits]'))
        grid, registry = open_grid(str(file), ("floors=false", "tasks=['captioning']"))
        found = list(cells(grid, registry, opened_here))
        heard: list[Event] = []
        prepare(found, registry, Device("cpu"), heard.append)
        return heard, found, registry

    return run


def test_each_data_set_is_made_once_and_said(prepared: Prepared) -> None:
    heard, found, _ = prepared({name: ROWS[name] for name in ("words", "towers")})
    assert len(found) == 2 and {event.what for event in heard} == {"preparing"}
    said = list(dict.fromkeys(event.said for event in heard))
    assert [one.partition(":")[0] for one in said] == [
        "data set digits", "tokenizer", "pictures that are both learnt from and tested on",
    ]
    assert [event.said for event in heard if not event.of].count("data set digits") == 1, "for both rows"


def test_a_data_set_that_fails_is_left_to_its_cells(prepared: Prepared) -> None:
    heard, found, _ = prepared({"words": ROWS["words"], "lost": 'objective = "prefix-lm"\ndata = "broken"'})
    assert len(found) == 2
    said = [event.said for event in heard]
    assert "data set broken" in said and "data set digits" in said, "one does not hold up the other"


def test_where_all_fails_that_is_the_error(prepared: Prepared) -> None:
    with pytest.raises(LookupError, match="the disk of pictures is away"):
        prepared({"lost": 'objective = "prefix-lm"\ndata = "broken"'})


def test_a_cpu_has_a_slot_a_core_or_as_many_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    assert place_of(Device("cpu"), Rules()).slots == 3
    found = place_of(Device("cpu"), Rules(jobs=7, each=4))
    assert (found.device, found.slots, found.devices) == ("cpu", 7, ())
    assert found.variables(0) == {"CUDA_VISIBLE_DEVICES": ""}, "a cell on a CPU sees no GPU"


@pytest.mark.parametrize(
    ("jobs", "each", "slots", "used"),
    [(0, 1, 4, 4), (0, 2, 8, 4), (2, 1, 2, 2), (9, 1, 4, 4), (1, 3, 1, 1), (3, 2, 3, 3), (8, 2, 8, 4), (6, 3, 4, 4)],
)
def test_gpus_have_slots_each_and_never_more_than_asked_for(
    monkeypatch: pytest.MonkeyPatch, jobs: int, each: int, slots: int, used: int
) -> None:
    names = ("GPU-0b6f", "MIG-3a11", "2", "7")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(names))
    place = place_of(Device("cuda"), Rules(jobs=jobs, each=each))
    assert (place.device, place.slots, tuple(place.devices)) == ("cuda", slots, names[:used])
    seen = [place.variables(slot)["CUDA_VISIBLE_DEVICES"] for slot in range(slots)]
    assert set(seen) == set(names[:used]) and max(map(seen.count, seen)) <= each
